//! Where events are posted, how each delivery fared, and the button that sends one again.

use super::{csrf, signed_in, told};
use crate::chip::{Tone, chip};
use crate::{Area, Frame, Lang, Place, Words, html};

/// An address.
#[derive(Clone, Debug)]
pub struct WebhookRow {
    /// Its number.
    pub id: u64,
    /// Whose events; none for all of them.
    pub merchant: Option<String>,
    /// Where they are posted.
    pub address: String,
    /// Deliveries that wait, and that were given up.
    pub counts: (u64, u64),
}

/// A delivery.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its number.
    pub id: u64,
    /// What happened; its name, the same in both languages.
    pub kind: String,
    /// The event's id.
    pub event: String,
    /// Where it stands, and how that looks.
    pub state: (Words, Tone),
    /// Attempts so far.
    pub attempts: u32,
    /// What the receiver said last.
    pub said: Option<String>,
    /// When, China time.
    pub tried: Option<String>,
}

/// The page.
#[derive(Clone, Debug)]
pub struct WebhooksView<'a> {
    /// Addresses.
    pub webhooks: &'a [WebhookRow],
    /// Deliveries, newest first.
    pub deliveries: &'a [DeliveryRow],
    /// The reader may add, end and resend.
    pub manages: bool,
    /// What was refused.
    pub told: Option<Words>,
    /// Who reads.
    pub name: &'a str,
    /// Their role.
    pub role: Words,
    /// The session's token.
    pub csrf: &'a str,
    /// Where one can go from here.
    pub places: &'a [Place],
    /// China time at which this was looked at.
    pub as_of: &'a str,
}

impl WebhooksView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Account,
            title: ("事件通知", "Webhooks"),
            path: "/webhooks",
            places: self.places,
            script: None,
            as_of: Some(self.as_of),
        };
        let body = html! { (self.addresses(lang)) (self.sent(lang)) };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }

    fn addresses(&self, lang: Lang) -> crate::Markup {
        html! {
            section.card {
                h1 { (lang.say(("事件通知", "Webhooks"))) }
                (told(lang, self.told))
                @if self.webhooks.is_empty() { p.second { (lang.say(("还没有接收地址", "No address is told yet"))) } }
                @else { div.scroll { table {
                    thead { tr {
                        th { (lang.say(("地址", "Address"))) } th.number { (lang.say(("等待", "Waiting"))) }
                        th.number { (lang.say(("放弃", "Given up"))) } @if self.manages { th { (lang.say(("操作", "Do"))) } }
                    } }
                    tbody { @for row in self.webhooks { tr {
                        td { code { (row.address) } @if let Some(merchant) = &row.merchant { br; span.second.small { (merchant) } } }
                        td.number { (row.counts.0) } td.number { (row.counts.1) }
                        @if self.manages { td { form method="post" action={ "/webhooks/" (row.id) "/end" } {
                            (csrf(self.csrf)) button type="submit" { (lang.say(("停止", "End"))) }
                        } } }
                    } } }
                } } }
                @if self.manages { form.subscribe method="post" action="/webhooks" {
                    (csrf(self.csrf))
                    label for="address" { (lang.say(("新的接收地址（https）", "A new address (https)"))) }
                    div.row {
                        input id="address" name="address" type="url" required maxlength="500" placeholder="https://";
                        button type="submit" { (lang.say(("新增", "Add"))) }
                    }
                } }
            }
        }
    }

    fn sent(&self, lang: Lang) -> crate::Markup {
        html! {
            section.card {
                h2 { (lang.say(("投递记录", "Deliveries"))) }
                @if self.deliveries.is_empty() { p.second { (lang.say(("还没有投递", "Nothing was delivered yet"))) } }
                @else { div.scroll { table.people {
                    thead { tr {
                        th { (lang.say(("事件", "Event"))) } th { (lang.say(("状态", "State"))) }
                        th { (lang.say(("对方答复", "Receiver said"))) } @if self.manages { th { (lang.say(("操作", "Do"))) } }
                    } }
                    tbody { @for row in self.deliveries { tr {
                        td { code { (row.kind) } br; span.second.small { "evt_" (row.event) } }
                        td { (chip(row.state.1, lang.say(row.state.0))) br; span.second.small {
                            (lang.either(format!("{} 次", row.attempts), format!("attempts: {}", row.attempts)))
                        } }
                        td { span lang="en" { (row.said.as_deref().unwrap_or("–")) } @if let Some(tried) = &row.tried { br; span.second.small { (tried) } } }
                        @if self.manages { td { form method="post" action={ "/webhooks/deliveries/" (row.id) "/resend" } {
                            (csrf(self.csrf)) button type="submit" { (lang.say(("重新投递", "Send again"))) }
                        } } }
                    } } }
                } } }
            }
        }
    }
}
