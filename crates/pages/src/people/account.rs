//! One's own account: who I am here, a new password, the second factor.

use super::{csrf, signed_in, told};
use crate::language::drawn;
use crate::{Area, Frame, Lang, Markup, Place, Words, html};
use receipt::qr::{Matrix, QUIET_MODULES};
use std::fmt::Write;

/// One's own account.
#[derive(Clone, Debug)]
pub struct AccountView<'a> {
    /// Name.
    pub name: &'a str,
    /// Role.
    pub role: Words,
    /// Merchant, for a merchant's account.
    pub merchant: Option<&'a str>,
    /// The second factor is in use.
    pub second_factor: bool,
    /// The session's token.
    pub csrf: &'a str,
    /// What was just done, or refused.
    pub told: Option<Words>,
    /// Where one can go from here.
    pub places: &'a [Place],
}

impl AccountView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = frame(lang, ("我的账户", "My account"), "/account", self.places);
        let body = html! {
            section.card.narrow {
                h1 { (self.name) }
                (told(lang, self.told))
                dl.facts {
                    dt { (lang.say(("角色", "Role"))) } dd { (lang.say(self.role)) }
                    @if let Some(merchant) = self.merchant {
                        dt { (lang.say(("商户号", "Merchant"))) } dd { (merchant) }
                    }
                    dt { (lang.say(("两步验证", "Second factor"))) }
                    dd {
                        @if self.second_factor { (lang.say(("已启用", "in use"))) }
                        @else { a href="/account/second-factor" { (lang.say(("去启用", "Set it up"))) } }
                    }
                }
            }
            section.card.narrow {
                h2 { (lang.say(("修改密码", "A new password"))) }
                form method="post" action="/account/password" {
                    (csrf(self.csrf))
                    label for="old" { (lang.say(("现在的密码", "The present one"))) }
                    input id="old" name="old" type="password" autocomplete="current-password" required maxlength="1024";
                    label for="new" { (lang.say(("新密码，至少 12 个字符", "The new one, at least 12 characters"))) }
                    input id="new" name="new" type="password" autocomplete="new-password" required minlength="12" maxlength="1024";
                    @if self.second_factor {
                        label for="code" { (lang.say(("验证码", "Code"))) }
                        input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="6";
                    }
                    button type="submit" { (lang.say(("修改", "Change"))) }
                }
            }
        };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }
}

/// A second factor being set up.
#[derive(Clone, Debug)]
pub struct SecondFactorView<'a> {
    /// Name.
    pub name: &'a str,
    /// Role.
    pub role: Words,
    /// The session's token.
    pub csrf: &'a str,
    /// The secret as base32.
    pub secret: &'a str,
    /// Why the code was not taken.
    pub told: Option<Words>,
}

impl SecondFactorView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let title = ("启用验证码", "Set up the second factor");
        let frame = frame(lang, title, "/account/second-factor", &[]);
        let grouped: Vec<&str> = (0..self.secret.len())
            .step_by(4)
            .filter_map(|at| self.secret.get(at..(at + 4).min(self.secret.len())))
            .collect();
        let body = html! {
            section.card.narrow {
                h1 { (lang.say(title)) }
                p.second { (lang.say((
                    "用验证器应用扫描，然后输入它显示的六位数字。员工账户必须启用。",
                    "Scan it with an authenticator, then type the six digits that it shows. Accounts of staff need it.",
                ))) }
                (told(lang, self.told))
                (code(lang, &format!("otpauth://totp/Counterfoil:{}?secret={}&issuer=Counterfoil", self.name, self.secret)))
                p.secret { code { (grouped.join(" ")) } }
                form method="post" action="/account/second-factor" {
                    (csrf(self.csrf))
                    label for="code" { (lang.say(("验证码", "Code"))) }
                    input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="6";
                    button.main type="submit" { (lang.say(("启用", "Use it"))) }
                }
            }
        };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }
}

/// The QR code of an address, dark on white whatever the colours of the page; nothing when it is too long.
fn code(lang: Lang, address: &str) -> Markup {
    let Some(matrix) = Matrix::of(address) else {
        return html! {};
    };
    let side = matrix.modules() + 2 * QUIET_MODULES;
    let label = lang.say(("验证器二维码", "QR code for an authenticator"));
    let mut svg = format!(
        r##"<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="{label}"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d=""##
    );
    for y in 0..matrix.modules() {
        for x in (0..matrix.modules()).filter(|x| matrix.dark(*x, y)) {
            let _ = write!(svg, "M{} {}h1v1h-1z", x + QUIET_MODULES, y + QUIET_MODULES);
        }
    }
    svg += r#""/></svg>"#;
    drawn(svg)
}

fn frame<'a>(lang: Lang, title: Words, path: &'a str, places: &'a [Place]) -> Frame<'a> {
    Frame {
        lang,
        area: Area::Account,
        title,
        path,
        places,
        script: None,
        as_of: None,
    }
}
