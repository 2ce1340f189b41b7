/** The words that a year is told in: names, goods, and what people write. None of the company names resembles another one. */

export const firstNames =
  `Ada Bruno Carla Dario Edda Falk Greta Henrik Ilse Jonas Karin Lars Mira Nils Olga Paul Quirin Rosa Stefan Thea Ulrich Vera Willem Xenia Yannick
  Zora Amelie Boris Celine Detlef Elif Fabian Giulia Hassan Ines Jürgen Kerstin Ludovic Manon Norbert Oriane Pavel Regina Sören Tamara Uwe Viola Wanda`
    .split(/\s+/)
    .filter((word) => word !== "");

export const lastNames =
  `Abend Bergström Castellan Dornfeld Eisler Faber Grünwald Hollander Immer Jansky Kowalski Lindqvist Marchetti Nowotny Oberlin Petrossian Quast
  Rasmussen Steinbrück Tuominen Urban Valcourt Wagenknecht Xander Ylmaz Zimmerer Achterberg Brandl Czerny Delacroix Ehrenreich Fontana Gallus Hrdlicka Ingold
  Jacobsen Krüger Lombardi Mäkinen Niemeyer Ostrander Pirelli Ruzicka Schönfeld Tarkowski Uhland Vasquez Wollner`
    .split(/\s+/)
    .filter((word) => word !== "");

/** Put together in pairs: no two of one list are one letter apart. */
export const heads =
  `amber birch cobalt dragon meadow falcon granite harbour island juniper kestrel lantern maple nordic orchard poplar quartz raven silver thunder
  upland violet walnut scarlet zephyr`
    .split(/\s+/)
    .filter((word) => word !== "");
export const tails =
  `works foods optics logistics textiles breweries gardens machines chemicals printers outfitters builders bakery marine pharma toys glass energy
  rentals cinemas`
    .split(/\s+/)
    .filter((word) => word !== "");

export const goods =
  `oak tables|steel shelves|garden chairs|conveyor belts|label printers|work gloves|pallet jacks|solar panels|water pumps|office lamps|paint rollers|
  cooling units|rope ladders|bread ovens|hoist motors|carpet tiles|fire doors|ship valves|paper cups|ceramic mugs`
    .split("|")
    .map((word) => word.trim());

export const asking = [
  "we are looking for %n %g and would like to know your price and how soon you can deliver.",
  "could you send us an offer for %n %g? We need them in the second half of the month.",
  "our stock of %g is running low. What would %n cost, including transport to our site?",
  "a partner recommended you. Please let us have your conditions for %n %g.",
  "für unseren Standort benötigen wir %n %g. Bitte senden Sie uns Ihre Konditionen.",
];
export const answering = [
  "thank you for your message. The %g are in stock, and we can deliver within ten days.",
  "that can be done. I have put %n aside for you until the end of the week.",
  "the price stays the same from fifty pieces on. Shall I reserve them for you?",
  "vielen Dank. Die Lieferung kann in der kommenden Woche erfolgen.",
];
export const goingOn = [
  "that sounds good. Can the driver call half an hour before he arrives?",
  "thanks, we take it. Please write our number on the papers.",
  "we would rather have %n, and in the darker colour.",
  "one more thing: do you take the old ones with you?",
  "passt, so machen wir es. Wir melden uns wegen des Termins.",
];
export const complaining = [
  "since this morning the display stays dark. What can we do?",
  "two of the %g arrived with scratches. How do we send them back?",
  "the manual is missing in the last box. Could you send it again?",
];
