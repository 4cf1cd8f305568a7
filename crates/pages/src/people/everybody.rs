//! Everybody's accounts: roles, second factors, locks; a change of role is proposed here and done by a second person.

use super::{csrf, signed_in, told};
use crate::chip::{Tone, chip};
use crate::{Area, Frame, Lang, Place, Words, html};

/// One account.
#[derive(Clone, Debug)]
pub struct PersonRow {
    /// Name.
    pub name: String,
    /// Name of the role.
    pub role_id: &'static str,
    /// Role.
    pub role: Words,
    /// Merchant, for a merchant's account.
    pub merchant: Option<String>,
    /// The second factor is in use.
    pub second_factor: bool,
    /// Locked until then, China time.
    pub locked_until: Option<String>,
    /// Cannot come in.
    pub disabled: bool,
}

/// Everybody.
#[derive(Clone, Debug)]
pub struct EverybodyView<'a> {
    /// Accounts by name.
    pub rows: &'a [PersonRow],
    /// Roles that can be proposed for staff: name and words.
    pub roles: &'a [(&'static str, Words)],
    /// Roles of new accounts.
    pub all_roles: &'a [(&'static str, Words)],
    /// The reader may propose and disable.
    pub manages: bool,
    /// Who reads.
    pub name: &'a str,
    /// Their role.
    pub role: Words,
    /// The session's token.
    pub csrf: &'a str,
    /// What was just done, or refused.
    pub told: Option<Words>,
    /// Where one can go from here.
    pub places: &'a [Place],
    /// China time at which this was looked at.
    pub as_of: &'a str,
}

impl EverybodyView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Console,
            title: ("人员", "People"),
            path: "/console/people",
            places: self.places,
            script: None,
            as_of: Some(self.as_of),
        };
        let body = html! {
            section.card {
                h1 { (lang.say(("人员", "People"))) }
                (told(lang, self.told))
                div.scroll { table.people {
                    thead { tr {
                        th { (lang.say(("用户", "Name"))) } th { (lang.say(("角色", "Role"))) }
                        th { (lang.say(("状态", "State"))) }
                        @if self.manages { th { (lang.say(("操作", "Do"))) } }
                    } }
                    tbody { @for row in self.rows { tr {
                        td { (row.name) }
                        td { (lang.say(row.role)) @if let Some(merchant) = &row.merchant { br; span.second.small { (merchant) } } }
                        td { (self.state(lang, row)) }
                        @if self.manages { td { (self.acts(lang, row)) } }
                    } } }
                } }
            }
            @if self.manages { (self.newcomer(lang)) }
        };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }

    /// A new account is proposed; whoever approves it hands its link over.
    fn newcomer(&self, lang: Lang) -> crate::Markup {
        html! {
            section.card.narrow {
                h2 { (lang.say(("新账户", "A new account"))) }
                p.second { (lang.say((
                    "另一位主管批准后账户才建立；批准的人得到一次性的链接，转交本人设密码。",
                    "It is made once another supervisor has approved; that one gets a link that works once, for its owner to set a password.",
                ))) }
                form method="post" action="/console/people" {
                    (csrf(self.csrf))
                    label for="name" { (lang.say(("用户名", "Name"))) }
                    input id="name" name="name" required maxlength="64" autocomplete="off" autocapitalize="none";
                    label for="role" { (lang.say(("角色", "Role"))) }
                    select id="role" name="role" { @for (id, words) in self.all_roles { option value=(id) { (lang.say(*words)) } } }
                    label for="merchant" { (lang.say(("商户号（商户账户才填）", "Merchant number, for a merchant's account"))) }
                    input id="merchant" name="merchant" maxlength="15" autocomplete="off";
                    button type="submit" { (lang.say(("提出申请", "Propose"))) }
                }
            }
        }
    }

    fn state(&self, lang: Lang, row: &PersonRow) -> crate::Markup {
        html! {
            @if row.disabled { (chip(Tone::Stop, lang.say(("已停用", "disabled")))) }
            @else if let Some(until) = &row.locked_until {
                (chip(Tone::Wait, lang.say(("已锁定", "locked")))) " " span.second.small { (until) }
            } @else if row.second_factor { (chip(Tone::Closed, lang.say(("验证码已启用", "second factor")))) }
            @else { (chip(Tone::Quiet, lang.say(("仅密码", "password only")))) }
        }
    }

    fn acts(&self, lang: Lang, row: &PersonRow) -> crate::Markup {
        let opens = row.disabled || row.locked_until.is_some();
        html! { div.row {
            @if row.merchant.is_none() && !row.disabled {
                form.row method="post" action={ "/console/people/" (row.name) "/role" } {
                    (csrf(self.csrf))
                    input type="hidden" name="from" value=(row.role_id);
                    select name="to" aria-label=(lang.say(("新角色", "New role"))) {
                        @for (id, words) in self.roles.iter().filter(|(id, _)| *id != row.role_id) {
                            option value=(id) { (lang.say(*words)) }
                        }
                    }
                    button type="submit" { (lang.say(("申请变更", "Propose"))) }
                }
            }
            form method="post" action={ "/console/people/" (row.name) "/access" } {
                (csrf(self.csrf))
                input type="hidden" name="disabled" value=(!opens);
                button type="submit" {
                    @if opens { (lang.say(("恢复", "Let in"))) } @else { (lang.say(("停用", "Disable"))) }
                }
            }
        } }
    }
}
