//! The way in without a link: amount, minute and last four digits, as anyone can read them off a bank's message.
//!
//! Invariant: the answer to facts that fit no sale and to facts that fit several is the same page.

use super::frame;
use crate::language::{Lang, Words};
use maud::{Markup, html};
use payment::{Amount, Wall};
use serde::Deserialize;

/// Characters of a field that are looked at.
const TYPED_MAX: usize = 64;

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Amount in yuan.
    pub amount: String,
    /// `2026-11-22`.
    pub date: String,
    /// `14:03`, China time.
    pub time: String,
    /// Last four digits of the card.
    pub last4: String,
    /// Name or number of the shop; empty when nothing was typed.
    pub shop: String,
}

/// The three facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Amount.
    pub amount: Amount,
    /// The beginning of the minute.
    pub minute: Wall,
    /// Last four digits of the card.
    pub last4: String,
    /// Part of the shop's name, or its number.
    pub shop: Option<String>,
}

/// Which field cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The amount.
    Amount,
    /// Date or time.
    Minute,
    /// The last four digits.
    Last4,
}

impl Unreadable {
    const fn words(self) -> Words {
        match self {
            Self::Amount => (
                "金额请写成 128 或 128.00。",
                "Write the amount as 128 or 128.00.",
            ),
            Self::Minute => (
                "请写日期和几点几分，例如 14:03。",
                "Give the date and the time to the minute, for instance 14:03.",
            ),
            Self::Last4 => (
                "卡号只要末四位数字，不要填完整卡号。",
                "Only the last four digits of the card, never the whole number.",
            ),
        }
    }
}

impl Asked {
    /// The facts in it.
    ///
    /// # Errors
    /// The first field that cannot be read.
    pub fn facts(&self) -> Result<Facts, Unreadable> {
        let amount = plain(&self.amount).replace(['¥', ',', '元'], "");
        let amount = Amount::parse_yuan(&amount)
            .filter(|amount| amount.minor > 0)
            .ok_or(Unreadable::Amount)?;
        let minute =
            Wall::of_minute(&plain(&self.date), &plain(&self.time)).ok_or(Unreadable::Minute)?;
        let last4 = plain(&self.last4);
        if last4.len() != 4 || !last4.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Unreadable::Last4);
        }
        let shop = self.shop.trim().chars().take(TYPED_MAX).collect::<String>();
        Ok(Facts {
            amount,
            minute,
            last4,
            shop: Some(shop).filter(|shop| !shop.is_empty()),
        })
    }
}

/// Digits and signs as a Chinese keyboard may type them, in ASCII.
fn plain(typed: &str) -> String {
    let typed = typed.trim().chars().take(TYPED_MAX);
    typed
        .map(|c| match c {
            '０'..='９' | '．' | '：' | '，' | '－' => {
                char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
            }
            '￥' => '¥',
            c => c,
        })
        .collect()
}

/// What the form answers with above its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing was asked yet.
    None,
    /// A field cannot be read.
    Unreadable(Unreadable),
    /// No sale, or not exactly one.
    NotShown,
}

/// The form with what was typed; the date is `today` where none was.
pub fn form(lang: Lang, asked: &Asked, today: &str, answer: Answer) -> String {
    let wrong = |field| (answer == Answer::Unreadable(field)).then_some("true");
    let date = if asked.date.is_empty() {
        today
    } else {
        &asked.date
    };
    let body = html! {
        div.ask {
            h1 { (lang.say(("我的钱在哪里？", "Where is my money?"))) }
            p { (lang.say((
                "刷了卡，没拿到小票？照着银行短信填三样，就能看到这笔钱现在在哪里、要不要退、多久退。",
                "Paid by card and got no slip? Three things from your bank's message show where the money is now, and when it comes back.",
            ))) }
            (told(lang, answer))
            form method="post" action="/" {
                label for="amount" { (lang.say(("金额（元）", "Amount (yuan)"))) }
                input id="amount" name="amount" inputmode="decimal" autocomplete="off" maxlength="16" placeholder="128.00"
                    required value=(asked.amount) aria-invalid=[wrong(Unreadable::Amount)];
                div.two {
                    div {
                        label for="date" { (lang.say(("日期", "Date"))) }
                        input id="date" name="date" type="date" required value=(date) aria-invalid=[wrong(Unreadable::Minute)];
                    }
                    div {
                        label for="time" { (lang.say(("几点几分", "Time"))) }
                        input id="time" name="time" type="time" required value=(asked.time) aria-invalid=[wrong(Unreadable::Minute)];
                    }
                }
                label for="last4" { (lang.say(("卡号末四位", "Last four digits of the card"))) }
                input id="last4" name="last4" inputmode="numeric" autocomplete="off" maxlength="4" pattern="[0-9]{4}" placeholder="0123"
                    required value=(asked.last4) aria-invalid=[wrong(Unreadable::Last4)];
                label for="shop" { (lang.say(("商户（可不填）", "Shop (optional)"))) }
                input id="shop" name="shop" autocomplete="off" maxlength="40" value=(asked.shop);
                button.main { (lang.say(("查这笔钱", "Find my money"))) }
            }
            p.small.second { (lang.say((
                "北京时间，前后差一分钟也能找到。三样全对才会显示；不要账户，永远不问完整卡号、密码或验证码。",
                "China time; one minute more or less is fine. Nothing is shown unless all three are right. No account, and never the whole card number, a PIN or a code.",
            ))) }
            p.small.second { (lang.say((
                "有小票或电子小票？扫上面的码最快。",
                "Have a slip or an e-slip? Its code is the fastest way.",
            ))) }
        }
    };
    frame(lang, ("我的钱在哪里", "Where is my money"), "/").page(&html! {}, &body)
}

fn told(lang: Lang, answer: Answer) -> Markup {
    let (title, said) = match answer {
        Answer::None => return html! {},
        Answer::Unreadable(field) => (("还差一点", "Almost"), field.words()),
        Answer::NotShown => (
            ("这里不能显示", "We cannot show it"),
            (
                "按这几样找不到可以显示的一笔。请核对后再试，或扫小票上的码，或请商户按金额和时间查找。没有小票不等于没有付款，也不要因此再付一次。",
                "These facts lead to nothing that we can show. Check them, or scan the code of the slip, or ask the shop to look for amount and time. A missing slip does not mean that you have not paid: do not pay again because of it.",
            ),
        ),
    };
    html! {
        section.verdict.wait role="alert" { h2 { (lang.say(title)) } p { (lang.say(said)) } }
    }
}
