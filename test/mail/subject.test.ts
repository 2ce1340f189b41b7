import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalisedSubject } from "../../src/mail/subject.ts";

describe("the subject of a conversation", () => {
  test.each([
    ["Order 17", "Order 17"],
    ["Re: Order 17", "Order 17"],
    ["RE: re: Re: Order 17", "Order 17"],
    ["Re:Order 17", "Order 17"],
    ["RE : Commande 17", "Commande 17"],
    ["Re[2]: Order 17", "Order 17"],
    ["Re^2: Order 17", "Order 17"],
    ["RE (3): Order 17", "Order 17"],
    ["AW: WG: Bestellung", "Bestellung"],
    ["Antwort: Bestellung", "Bestellung"],
    ["Antw: Bestelling", "Bestelling"],
    ["SV: VB: Beställning", "Beställning"],
    ["VS: VL: Tilaus", "Tilaus"],
    ["TR: RE: Commande", "Commande"],
    ["RV: RES: ENC: Pedido", "Pedido"],
    ["Rif: R: I: Ordine", "Ordine"],
    ["Odp: PD: Zamówienie", "Zamówienie"],
    ["Отв: Пересл: Заказ", "Заказ"],
    ["НА: Заказ", "Заказ"],
    ["YNT: İLT: Sipariş", "Sipariş"],
    ["ΑΠ: ΣΧΕΤ: Παραγγελία", "Παραγγελία"],
    ["השב: הזמנה", "הזמנה"],
    ["رد: طلب", "طلب"],
    ["回复：订单", "订单"],
    ["回覆: 轉寄: 訂單", "訂單"],
    ["答复: 转发: 订单", "订单"],
    ["返信: 転送: 注文", "注文"],
    ["회신: 전달: 주문", "주문"],
    ["Re﹕ Order", "Order"],
    ["Fwd: FW: Fw: Order", "Order"],
    ["[shop-talk] Order 17", "Order 17"],
    ["Re: [shop-talk] Order 17", "Order 17"],
    ["[shop-talk] Re: [shop-talk] [urgent] Order 17", "Order 17"],
    ["Re[shop-talk]: Order 17", "Order 17"],
    ["[Fwd: Order 17]", "Order 17"],
    ["[Fwd: [Fwd: Order 17]]", "Order 17"],
    ["Order 17 (fwd)", "Order 17"],
    ["Re: Order 17 (fwd) (fwd)", "Order 17"],
    ["Re: [Order 17]", "[Order 17]"],
    ["[Order 17]", "[Order 17]"],
    ["[Order 17] Re:", "[Order 17] Re:"],
    ["Order\t 17 \u00a0 now", "Order 17 now"],
    ["Report: quarter 3", "Report: quarter 3"],
    ["Antwerp: quarter 3", "Antwerp: quarter 3"],
    ["re-sent: parcel", "re-sent: parcel"],
    ["I: the robot", "the robot"],
    ["i: the robot", "i: the robot"],
    ["Re: Re: Re order", "Re order"],
    ["Re: AW:", null],
    ["Re:", null],
    ["Fwd: [Fwd: ]", null],
    [" ", null],
    ["", null],
  ])("of %j is %j", (subject, normalised) => {
    expect(normalisedSubject(subject)).toBe(normalised);
  });

  test("is the same however often it is answered, forwarded and tagged", () => {
    const word = fc.constantFrom("Order", "17", "from", "Ana", "—", "訂單");
    const subject = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(" "));
    const around = fc.constantFrom("Re: ", "AW: ", "Fwd: ", "[list] ", "回复：", "RE[4]: ", "TR : ", " ");
    fc.assert(
      fc.property(subject, fc.array(around, { maxLength: 20 }), (base, before) => {
        expect(normalisedSubject(before.join("") + base)).toBe(base);
      }),
    );
  });

  test("of any text is its own, and never empty", () => {
    const piece = fc.oneof(
      fc.constantFrom("Re:", "[", "]", "(fwd)", "[Fwd:", " ", ":", "a"),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const found = normalisedSubject(pieces.join(""));
        expect(found).not.toBe("");
        if (found !== null) expect(pieces.join("").replace(/\s+/gu, " ")).toContain(found);
      }),
      { numRuns: 2000 },
    );
  });
});
