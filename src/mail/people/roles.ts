/** The names before the @ that are a task and not a person: several people read them, or nobody in particular. */

/** In the languages that business mail comes in. Compared without case, tag and the separators . - _ */
export const roleNames: ReadonlySet<string> = new Set(
  `
  abuse accounting accounts accountspayable accountsreceivable admin administration administrator all allstaff ap api ar billing board booking
  bookings bot bounce bounces business career careers ceo chat cfo claims client clients clientservices community compliance contact contactus
  corporate cs customer customercare customers customerservice customersuccess customersupport delivery deals dev developers devops dispatch
  dpo editor editorial email enquiries enquiry events everybody everyone export exports facilities feedback finance form forms frontdesk
  fulfillment general gdpr group hello helpdesk help hi hostmaster hr import info information inbox inquiries inquiry international invoice
  invoices invoicing it itsupport jobs lead leads legal list logistics mail mailbox mailer maintenance management manager market marketing
  media members merchandising news newsletter notification notifications notify office online operations order orders owner partner partners
  partnerships payable payments payroll pr press privacy procurement production project projects purchase purchasing quality quote quotes
  reception receivables recruiting recruitment registration rental reply request requests reservation reservations returns rfq root sale sales
  salesteam scan scanner scheduling secretary security service servicedesk services shipping shop spam staff status store subscribe
  subscriptions supply support suppliers sysadmin system team tech technical techsupport tender tenders ticket tickets trade training travel
  unsubscribe updates vendor vendors warehouse warranty web webform webmaster website welcome wholesale wordpress work www

  abteilung alle anfrage anfragen angebot angebote auftrag auftraege aufträge bestellung bestellungen bewerbung bewerbungen buchhaltung
  buchung buero büro datenschutz dienst einkauf empfang fuhrpark geschaeftsfuehrung geschäftsführung geschaeftsleitung geschäftsleitung
  hausverwaltung hotline kanzlei karriere kasse kontakt kreditoren kunden kundenbetreuung kundendienst kundenservice labor lager
  lieferanten logistik mahnung personal personalabteilung planung post poststelle praxis presse produktion projekte qualitaet qualität rechnung
  rechnungen reklamation reklamationen reservierung schichtleitung sekretariat technik termin termine verkauf versand vertrieb verwaltung
  werkstatt zentrale

  accueil achat achats adherents administratif approvisionnement atelier client clients clientele clientèle commande commandes commercial
  commerciale comptabilite comptabilité compta courrier devis direction expedition expéditions facturation facture factures gestion
  livraison location magasin mairie presse qualite qualité rappel reclamation réclamation recrutement renseignement renseignements rh
  sav secretariat secrétariat technique ventes

  administracion administración almacen almacén atencion atencionalcliente atención cliente clientes comercial compras contabilidad contacto
  correo cotizacion cotización cotizaciones direccion dirección empleo exportacion exportación facturacion facturación facturas gerencia
  importacion importación informacion información oficina pedido pedidos presupuesto presupuestos proveedores recepcion recepción
  recursoshumanos reservas rrhh secretaria secretaría soporte taller tecnico técnico tienda ventas

  acquisti amministrazione assistenza commerciale contabilita contabilità contatti direzione fatture fatturazione fornitori informazioni
  laboratorio logistica magazzino ordini personale prenotazioni preventivi produzione segreteria servizioclienti spedizioni tecnico
  ufficio ufficioacquisti ufficiocommerciale ufficiotecnico vendite

  atendimento comercial compras contabilidade contato direcao direção encomendas entregas faturacao faturação faturamento financeiro
  fornecedores geral licitacao logistica orcamento orcamentos orçamento orçamentos producao produção recepcao receção reclamacoes rh sac
  secretaria suporte tesouraria vendas

  administratie bestellen bestelling bestellingen boekhouding crediteuren debiteuren facturen facturatie financien financiën inkoop
  inlichtingen kantoor klachten klantenservice magazijn offerte offertes onderhoud planning receptie secretariaat verhuur verkoop vragen
  werkplaats

  bestilling bokning bogholderi ekonomi faktura fakturor firmapost forsaljning försäljning indkob indkøb inkop inköp innkjop innkjøp kontakta
  kundeservice kundtjanst kundtjänst kundtjeneste kundeservice lager okonomi ordre post postmottak reception regnskab regnskap salg salj
  verksted vaxel växel asiakaspalvelu laskut laskutus myynti osto tilaus tilaukset toimisto varaukset yhteys

  administracja bhp biuro dostawy dzial ekspedycja faktury handel handlowy kadry kancelaria klient kontakt ksiegowosc księgowość logistyka
  magazyn marketing obsluga obslugaklienta oferta oferty pomoc praca produkcja reklamacje rekrutacja sekretariat serwis sklep sprzedaz sprzedaż
  zakupy zamowienia zamówienia zapytania fakturace kancelar kancelář nakup nákup objednavky objednávky obchod odbyt podatelna podpora poptavka
  prodej prodejna reklamace servis sklad uctarna účtárna predaj uctovnictvo ajanlat ajánlat beszerzes beszerzés ertekesites értékesítés iroda
  konyveles könyvelés megrendeles rendeles rendelés szamla számla szerviz ugyfelszolgalat ügyfélszolgálat vevoszolgalat achizitii comenzi
  contabilitate facturi ofertare relatii secretariat vanzari vânzări nabava prodaja racunovodstvo računovodstvo uprava

  bilgi destek fatura iletisim iletişim ihracat insankaynaklari ithalat muhasebe musterihizmetleri pazarlama satinalma satınalma satis satış
  siparis sipariş buhgalteria buhgalter zakaz zakazy zakupki otdel otdelprodazh prodazhi sekretar priemnaya snab sbyt sklad бухгалтерия заказ
  заказы закупки инфо офис приемная продажи секретарь снабжение eigyo eigyou hanbai jinji keiri kouhou soumu somu toiawase uketsuke
  waimao xiaoshou caigou kefu caiwu renshi
`
    .trim()
    .split(/\s+/),
);

/** `Sales.Team+eu` and `sales-team` are one name. */
export const bareName = (local: string): string =>
  local.normalize("NFC").toLowerCase().replace(/\+.*$/su, "").replace(/[._-]/g, "");
