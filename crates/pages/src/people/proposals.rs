//! Proposals: what waits for a second person, and one of them with what exactly would be done.

use super::{csrf, signed_in, told};
use crate::chip::{Tone, chip};
use crate::console::sale_path;
use crate::{Area, Frame, Lang, Markup, Place, Words, html};

/// One proposal.
#[derive(Clone, Debug)]
pub struct ProposalRow {
    /// Its number.
    pub id: u64,
    /// What is shown, zh-CN and en.
    pub preview: (String, String),
    /// Who proposed it.
    pub maker: String,
    /// When, China time.
    pub made: String,
    /// Where it stands.
    pub state: Words,
    /// How that looks.
    pub tone: Tone,
    /// Who checked it, and when.
    pub checked: Option<(String, String)>,
}

/// A sale of a proposed remedy, and what would come, or has come, of it.
#[derive(Clone, Debug)]
pub struct ProposalSale {
    /// Terminal, batch and trace number.
    pub sale: String,
    /// What it is over.
    pub amount: String,
    /// What would come, or has come, of it.
    pub said: Words,
    /// How that looks.
    pub tone: Tone,
}

/// The list.
#[derive(Clone, Debug)]
pub struct ProposalsView<'a> {
    /// Open ones first.
    pub rows: &'a [ProposalRow],
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

impl ProposalsView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Console,
            title: ("复核", "Second pair of eyes"),
            path: "/console/proposals",
            places: self.places,
            script: None,
            as_of: Some(self.as_of),
        };
        let body = html! {
            section.card {
                h1 { (lang.say(("复核", "Second pair of eyes"))) }
                @if self.rows.is_empty() { p.second { (lang.say(("没有申请", "Nothing was proposed"))) } }
                @else { div.scroll { table {
                    thead { tr {
                        th { (lang.say(("申请", "Proposal"))) } th { (lang.say(("申请人", "Proposed by"))) }
                        th { (lang.say(("状态", "State"))) }
                    } }
                    tbody { @for row in self.rows { tr {
                        td { a href={ "/console/proposals/" (row.id) } { (lang.pick(&row.preview)) } }
                        td { (row.maker) br; span.second.small { (row.made) } }
                        td {
                            (chip(row.tone, lang.say(row.state)))
                            @if let Some((who, at)) = &row.checked { br; span.second.small { (who) " " (at) } }
                        }
                    } } }
                } } }
            }
        };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }
}

/// One proposal with its buttons.
#[derive(Clone, Debug)]
pub struct ProposalView<'a> {
    /// It.
    pub row: &'a ProposalRow,
    /// The sales of a remedy.
    pub sales: &'a [ProposalSale],
    /// The link that opens a new account, for who approved it.
    pub link: Option<&'a str>,
    /// Hash of what is shown; the approval names it.
    pub shown: &'a str,
    /// It is open and the reader may approve it.
    pub may_approve: bool,
    /// It is open and the reader may refuse it or take it back.
    pub may_refuse: bool,
    /// Why the last try did nothing.
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

impl ProposalView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let path = format!("/console/proposals/{}", self.row.id);
        let frame = Frame {
            lang,
            area: Area::Console,
            title: ("复核", "Second pair of eyes"),
            path: &path,
            places: self.places,
            script: None,
            as_of: Some(self.as_of),
        };
        let row = self.row;
        let body = html! {
            section.card.narrow {
                p { (chip(row.tone, lang.say(row.state))) }
                h1 { (lang.pick(&row.preview)) }
                (told(lang, self.told))
                dl.facts {
                    dt { (lang.say(("申请人", "Proposed by"))) } dd { (row.maker) " " span.second { (row.made) } }
                    @if let Some((who, at)) = &row.checked {
                        dt { (lang.say(("复核人", "Checked by"))) } dd { (who) " " span.second { (at) } }
                    }
                    dt { (lang.say(("指纹", "Fingerprint"))) } dd { code.small { (self.shown) } }
                }
                (self.sales(lang))
                @if let Some(link) = self.link {
                    p { (lang.say((
                        "把这个链接转交本人：用来设第一个密码，一天内有效，只能用一次。",
                        "Hand this link to its owner: it sets the first password, works once, and for a day.",
                    ))) }
                    p { code { (link) } }
                }
                @if self.may_approve || self.may_refuse { div.row {
                    @if self.may_approve { form method="post" action={ (path) "/approve" } {
                        (csrf(self.csrf))
                        input type="hidden" name="shown" value=(self.shown);
                        button.main type="submit" { (lang.say(("批准并执行", "Approve and do it"))) }
                    } }
                    @if self.may_refuse { form method="post" action={ (path) "/refuse" } {
                        (csrf(self.csrf))
                        button type="submit" { (lang.say(("拒绝", "Refuse"))) }
                    } }
                } }
            }
        };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }

    fn sales(&self, lang: Lang) -> Markup {
        html! {
            @if !self.sales.is_empty() { ul.remedies {
                @for one in self.sales { li {
                    span.key { a href=(sale_path("/console", &one.sale)) { (one.sale) } }
                    b.money { (one.amount) }
                    span { (chip(one.tone, lang.say(one.said))) }
                } }
            } }
        }
    }
}
