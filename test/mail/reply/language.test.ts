import { describe, expect, test } from "vitest";
import { languageOf } from "../../../src/mail/reply/language.ts";

/** None of these helped to choose the words by which languages are told. */
const sentences: readonly (readonly [string, string])[] = [
  ["en", "Could we change the delivery date to the end of the month?"],
  ["en", "I would like to talk about the new prices before we sign."],
  ["en", "The printer you sold us stopped working again this morning."],
  ["de", "Können wir den Liefertermin auf das Monatsende verschieben?"],
  ["de", "Ich würde gern vor der Unterschrift über die neuen Preise sprechen."],
  ["de", "Der Drucker, den Sie uns verkauft haben, ist heute früh wieder ausgefallen."],
  ["fr", "Pouvons-nous déplacer la date de livraison à la fin du mois ?"],
  ["fr", "J'aimerais parler des nouveaux prix avant de signer."],
  ["fr", "L'imprimante que vous nous avez vendue est de nouveau en panne ce matin."],
  ["es", "¿Podemos cambiar la fecha de entrega para fin de mes?"],
  ["es", "Me gustaría hablar de los nuevos precios antes de firmar."],
  ["es", "La impresora que nos vendieron ha vuelto a fallar esta mañana."],
  ["it", "Possiamo spostare la data di consegna alla fine del mese?"],
  ["it", "Vorrei parlare dei nuovi prezzi prima di firmare il contratto."],
  ["it", "La stampante che ci avete venduto si è rotta di nuovo stamattina."],
  ["pt", "Podemos mudar a data de entrega para o fim do mês?"],
  ["pt", "Gostaria de falar sobre os novos preços antes de assinar."],
  ["pt", "A impressora que nos venderam avariou outra vez esta manhã."],
  ["nl", "Kunnen we de leverdatum verplaatsen naar het einde van de maand?"],
  ["nl", "Ik wil graag over de nieuwe prijzen praten voordat we tekenen."],
  ["nl", "De printer die u ons verkocht heeft, is vanochtend weer stuk gegaan."],
  ["pl", "Czy możemy przesunąć termin dostawy na koniec miesiąca?"],
  ["pl", "Chciałbym porozmawiać o nowych cenach przed podpisaniem umowy."],
  ["pl", "Drukarka, którą nam sprzedaliście, dziś rano znowu przestała działać."],
  ["sv", "Kan vi flytta leveransdatumet till slutet av månaden?"],
  ["sv", "Jag skulle vilja prata om de nya priserna innan vi skriver på."],
  ["sv", "Skrivaren som ni sålde till oss slutade fungera igen i morse."],
  ["da", "Kan vi flytte leveringsdatoen til slutningen af måneden?"],
  ["da", "Jeg vil gerne tale om de nye priser, inden vi skriver under."],
  ["da", "Printeren, som I solgte os, holdt op med at virke igen i morges."],
  ["no", "Kan vi flytte leveringsdatoen til slutten av måneden?"],
  ["no", "Jeg vil gjerne snakke om de nye prisene før vi signerer."],
  ["no", "Skriveren dere solgte oss sluttet å virke igjen i dag tidlig."],
  ["fi", "Voimmeko siirtää toimituspäivän kuukauden loppuun?"],
  ["fi", "Haluaisin puhua uusista hinnoista ennen allekirjoitusta."],
  ["fi", "Tulostin, jonka myitte meille, lakkasi taas toimimasta tänä aamuna."],
  ["cs", "Můžeme posunout termín dodání na konec měsíce?"],
  ["cs", "Rád bych si promluvil o nových cenách, než podepíšeme."],
  ["cs", "Tiskárna, kterou jste nám prodali, dnes ráno opět přestala fungovat."],
  ["tr", "Teslimat tarihini ay sonuna alabilir miyiz acaba?"],
  ["tr", "İmzalamadan önce yeni fiyatlar hakkında konuşmak isterim."],
  ["tr", "Bize sattığınız yazıcı bu sabah yine çalışmayı durdurdu."],
  ["ru", "Можем ли мы перенести дату доставки на конец месяца?"],
  ["ru", "Я хотел бы обсудить новые цены до подписания договора."],
  ["ru", "Принтер, который вы нам продали, сегодня утром снова сломался."],
  ["uk", "Чи можемо ми перенести дату доставки на кінець місяця?"],
  ["uk", "Я хотів би обговорити нові ціни до підписання договору."],
  ["uk", "Принтер, який ви нам продали, сьогодні вранці знову зламався."],
  ["hu", "Áttehetjük a szállítás időpontját a hónap végére?"],
  ["hu", "Szeretnék beszélni az új árakról, mielőtt aláírjuk."],
  ["hu", "A nyomtató, amit eladtak nekünk, ma reggel megint leállt."],
  ["ro", "Putem muta data livrării la sfârșitul lunii, vă rog?"],
  ["ro", "Aș dori să vorbim despre noile prețuri înainte de semnare."],
  ["ro", "Imprimanta pe care ne-ați vândut-o s-a stricat din nou azi dimineață."],
  ["en", "We are happy with the samples and want to place a first order."],
  ["en", "The driver left the boxes in the rain, and half of them are wet."],
  ["de", "Die Muster gefallen uns, und wir möchten eine erste Bestellung aufgeben."],
  ["de", "Der Fahrer hat die Kisten im Regen stehen lassen, die Hälfte ist nass."],
  ["fr", "Les échantillons nous plaisent et nous voulons passer une première commande."],
  ["fr", "Le chauffeur a laissé les cartons sous la pluie, la moitié est mouillée."],
  ["es", "Las muestras nos gustan y queremos hacer un primer pedido."],
  ["es", "El conductor dejó las cajas bajo la lluvia y la mitad está mojada."],
  ["it", "I campioni ci piacciono e vogliamo fare un primo ordine."],
  ["it", "L'autista ha lasciato le scatole sotto la pioggia e metà sono bagnate."],
  ["pt", "As amostras agradam-nos e queremos fazer uma primeira encomenda."],
  ["pt", "O motorista deixou as caixas à chuva e metade está molhada."],
  ["nl", "De monsters bevallen ons en we willen een eerste bestelling plaatsen."],
  ["nl", "De chauffeur heeft de dozen in de regen laten staan, de helft is nat."],
  ["pl", "Próbki nam się podobają i chcemy złożyć pierwsze zamówienie."],
  ["pl", "Kierowca zostawił kartony na deszczu i połowa z nich jest mokra."],
  ["sv", "Vi är nöjda med proverna och vill göra en första beställning."],
  ["sv", "Föraren ställde lådorna i regnet och hälften av dem är blöta."],
  ["da", "Vi er glade for prøverne og vil gerne afgive en første ordre."],
  ["da", "Chaufføren stillede kasserne i regnen, og halvdelen af dem er våde."],
  ["no", "Vi er fornøyde med prøvene og vil gjerne legge inn en første bestilling."],
  ["no", "Sjåføren satte kassene i regnet, og halvparten av dem er våte nå."],
  ["fi", "Olemme tyytyväisiä näytteisiin ja haluamme tehdä ensimmäisen tilauksen."],
  ["fi", "Kuljettaja jätti laatikot sateeseen, ja puolet niistä on märkiä."],
  ["cs", "Vzorky se nám líbí a chceme zadat první objednávku."],
  ["cs", "Řidič nechal krabice na dešti a polovina z nich je mokrá."],
  ["tr", "Numuneleri beğendik ve ilk siparişimizi vermek istiyoruz."],
  ["tr", "Sürücü kutuları yağmurda bıraktı ve yarısı ıslandı maalesef."],
  ["ru", "Образцы нам понравились, и мы хотим сделать первый заказ."],
  ["ru", "Водитель оставил коробки под дождём, и половина из них промокла."],
  ["uk", "Зразки нам сподобалися, і ми хочемо зробити перше замовлення."],
  ["uk", "Водій залишив коробки під дощем, і половина з них промокла."],
  ["hu", "A minták tetszenek nekünk, és szeretnénk leadni az első rendelést."],
  ["hu", "A sofőr az esőben hagyta a dobozokat, és a fele vizes lett."],
  ["ro", "Mostrele ne plac și dorim să facem o primă comandă."],
  ["ro", "Șoferul a lăsat cutiile în ploaie, iar jumătate sunt ude."],
  ["el", "Ευχαριστούμε για την προσφορά, θα θέλαμε να παραγγείλουμε δέκα."],
  ["he", "תודה רבה על ההצעה, אנחנו רוצים להזמין עשר יחידות עד יום שישי."],
  ["ar", "شكرا على العرض، نود أن نطلب عشر قطع قبل يوم الجمعة من فضلكم."],
  ["th", "ขอบคุณสำหรับใบเสนอราคา เราต้องการสั่งซื้อสิบชิ้นภายในวันศุกร์"],
  ["ja", "お見積りありがとうございます。金曜日までに十個注文したいと思います。よろしくお願いいたします。"],
  ["zh", "感谢您的报价，我们想在星期五之前订购十件产品。请问您可以把上个月的发票也发给我吗？谢谢您。"],
  ["ko", "견적 감사합니다. 금요일까지 열 개를 주문하고 싶습니다. 청구서도 보내 주세요."],
];

describe("the language of an answer", () => {
  test("is told for nineteen of twenty sentences, and never told wrongly", () => {
    const told = sentences.map(([code, text]) => [code, languageOf(text)?.code ?? null]);
    const wrong = told.filter(([code, found]) => found !== null && found !== code);
    expect(wrong).toEqual([]);
    const right = told.filter(([code, found]) => found === code);
    expect(right.length / sentences.length).toBeGreaterThanOrEqual(0.95);
    expect(new Set(right.map(([code]) => code)).size).toBe(25);
  });

  test("is surer the more is written", () => {
    const short = "Die Muster gefallen uns, und wir möchten bestellen.";
    const long = `${short} Könnten Sie uns bitte ein Angebot für zehn Stück schicken? Vielen Dank und bis bald.`;
    expect(languageOf(short)?.code).toBe("de");
    expect(languageOf(long)?.confidence).toBeGreaterThanOrEqual(languageOf(short)?.confidence ?? 1);
  });

  test.each([
    ["a short answer", "Vielen Dank, wir nehmen zehn Stück."],
    ["numbers", "4711 0815 1234567 89 10 11 12 13 14 15 16 17 18 19 20 21 22"],
    ["addresses", "https://www.acme.example/und/der/die/das ana@b.example bo@c.example cy@d.example"],
    ["no words", "!!! ??? ... --- *** ((( ))) === ### $$$ %%% &&& @@@ ;;; ,,,"],
    ["words of no language", "Lorem xyzzy plugh frobnicate quux garply waldo thud corge grault"],
  ])("is not told of %s", (_, text) => {
    expect(languageOf(text)).toBeNull();
  });

  test("is a code and a confidence of one at most", () => {
    for (const [, text] of sentences) {
      const found = languageOf(text);
      if (found === null) continue;
      expect(found.code).toMatch(/^[a-z]{2}$/);
      expect(found.confidence).toBeGreaterThan(0.5);
      expect(found.confidence).toBeLessThanOrEqual(1);
    }
  });
});
