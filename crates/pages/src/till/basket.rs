//! The basket before the amount: goods by barcode or from the list, whose sum becomes the amount.

use super::{Door, Said};
use crate::language::Lang;
use maud::{Markup, html};

/// A line of the basket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Barcode.
    pub barcode: String,
    /// Name.
    pub name: Said,
    /// How many.
    pub count: u32,
    /// Price of all of them as text.
    pub amount: String,
}

/// A thing that is sold here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// Barcode.
    pub barcode: String,
    /// Name.
    pub name: Said,
    /// Price as text.
    pub price: String,
}

/// The basket and what could be put into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasketView {
    /// What lies in it.
    pub lines: Vec<Line>,
    /// Sum as text.
    pub total: String,
    /// What this till sells; nothing where no list is configured.
    pub goods: Vec<Good>,
}

pub(super) fn section(lang: Lang, basket: &BasketView, door: &Door) -> Markup {
    if basket.goods.is_empty() {
        return html! {};
    }
    html! {
        section.basket aria-label=(lang.say(("购物篮", "Basket"))) {
            @if !basket.lines.is_empty() {
                table {
                    tbody {
                        @for line in &basket.lines {
                            tr {
                                td { (lang.pick(&line.name)) @if line.count > 1 { " × " (line.count) } }
                                td.number { (line.amount) }
                                td.number {
                                    form method="post" action="/basket" {
                                        (door.fields())
                                        button.less name="less" value=(line.barcode) aria-label=(lang.either(html! { "减少 " (line.name.0) }, html! { "Less " (line.name.1) }).into_string()) { "−" }
                                    }
                                }
                            }
                        }
                    }
                    tfoot { tr { th { (lang.say(("合计", "Total"))) } td.number { b { (basket.total) } } td.number {
                        form method="post" action="/basket" {
                            (door.fields())
                            button.less name="clear" value="yes" { (lang.say(("清空", "Clear"))) }
                        }
                    } } }
                }
            }
            form.row.add method="post" action="/basket" {
                (door.fields())
                label for="good" { (lang.say(("扫商品条码或选商品", "Scan a barcode or choose"))) }
                input id="good" name="add" list="goods" inputmode="numeric" autocomplete="off" maxlength="32";
                datalist id="goods" {
                    @for good in &basket.goods {
                        option value=(good.barcode) { (lang.pick(&good.name)) " " (good.price) }
                    }
                }
                button { (lang.say(("加入", "Add"))) }
            }
            details {
                summary { (lang.say(("商品列表", "List of goods"))) }
                form.goods method="post" action="/basket" {
                    (door.fields())
                    @for good in &basket.goods {
                        button name="add" value=(good.barcode) { (lang.pick(&good.name)) " " span.second { (good.price) } }
                    }
                }
            }
        }
    }
}
