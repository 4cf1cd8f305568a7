//! The messages of a sale as the acquirer heard and said them, decoded; what the field table calls secret was masked when
//! they were taken.

use crate::language::Lang;
use maud::{Markup, html};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// China time, with milliseconds.
    pub at: String,
    /// The acquirer said it; else it heard it.
    pub said: bool,
    /// The other side, zh-CN and en.
    pub peer: (&'static str, &'static str),
    /// Message type and length in bytes.
    pub mti: String,
    /// Length of the frame in bytes.
    pub bytes: usize,
    /// Its elements, masked.
    pub fields: Vec<Field>,
}

/// One element or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// `2`, `60.1`.
    pub number: String,
    /// Name, zh-CN and en.
    pub name: (&'static str, &'static str),
    /// Masked value.
    pub value: String,
    /// A remark in both languages; often empty.
    pub note: String,
}

/// The messages side by side.
pub fn messages(lang: Lang, messages: &[Message], kept: usize) -> Markup {
    html! {
        @if messages.is_empty() {
            p.second { (lang.either(
                html! { "前置只留最近 " (kept) " 条报文，这笔交易的已不在其中；时间线来自账本，不受影响。" },
                html! { "The acquirer keeps its last " (kept) " messages; this sale's are no longer among them. The timeline comes from the journal and is complete." },
            )) }
        } @else {
            p.second.small { (lang.say((
                "卡号、磁道、密码和密钥在收到时已遮盖，未遮盖的报文不保存。",
                "Card numbers, tracks, PINs and keys were masked when the message was taken; no message is kept unmasked.",
            ))) }
            div.messages {
                @for message in messages { (one(lang, message)) }
            }
        }
    }
}

fn one(lang: Lang, message: &Message) -> Markup {
    let arrow = if message.said { "→" } else { "←" };
    html! {
        details open[message.fields.len() <= OPEN_FIELDS] {
            summary {
                b { (message.mti) } " " (lang.say(("前置", "acquirer"))) " " (arrow) " " (lang.say(message.peer))
                " " span.second.small { (message.at) " · " (message.bytes) " " (lang.say(("字节", "bytes"))) }
            }
            table.fields {
                @for Field { number, name, value, note } in &message.fields {
                    tr { th { (number) } td.second { (lang.say(*name)) } td { code { (value) } @if !note.is_empty() { " " span.second.small { (said(lang, note)) } } } }
                }
            }
        }
    }
}

/// Longer messages are folded at first.
const OPEN_FIELDS: usize = 40;

/// A remark's own half: remarks are written `中文 / English`.
fn said(lang: Lang, note: &str) -> &str {
    match (note.split_once(" / "), lang) {
        (Some((zh, _)), Lang::Zh) => zh,
        (Some((_, en)), Lang::En) => en,
        (None, _) => note,
    }
}
