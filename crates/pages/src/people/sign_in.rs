//! The sign-in page, and what somebody sees who may not go further.

use crate::{Area, Frame, Lang, Words, html};

/// The sign-in form.
#[derive(Clone, Debug)]
pub struct SignInView<'a> {
    /// Where to go afterwards; a path of this site.
    pub next: &'a str,
    /// Why it did not work, after a try.
    pub refused: Option<Words>,
}

impl SignInView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Account,
            title: ("登录", "Sign in"),
            path: "/login",
            places: &[],
            script: None,
            as_of: None,
        };
        let body = html! {
            section.card.narrow {
                h1 { (lang.say(("登录", "Sign in"))) }
                (super::told(lang, self.refused))
                form method="post" action="/login" {
                    input type="hidden" name="next" value=(self.next);
                    label for="name" { (lang.say(("用户名", "Name"))) }
                    input id="name" name="name" autocomplete="username" autocapitalize="none" required maxlength="64";
                    label for="password" { (lang.say(("密码", "Password"))) }
                    input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024";
                    label for="code" { (lang.say(("验证码（如已启用）", "Code, if you have one set up"))) }
                    input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6";
                    button.main type="submit" { (lang.say(("登录", "Sign in"))) }
                }
            }
        };
        frame.page(&html! {}, &body)
    }
}

/// The page of an invitation: the first password.
#[derive(Clone, Debug)]
pub struct WelcomeView<'a> {
    /// Who is invited.
    pub name: &'a str,
    /// The link's own path.
    pub path: &'a str,
    /// Why it did not work, after a try.
    pub told: Option<Words>,
}

impl WelcomeView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Account,
            title: ("设置密码", "Set your password"),
            path: self.path,
            places: &[],
            script: None,
            as_of: None,
        };
        let body = html! {
            section.card.narrow {
                h1 { (lang.say(("设置密码", "Set your password"))) }
                p { (lang.say(("您的用户名：", "Your name: "))) b { (self.name) } }
                (super::told(lang, self.told))
                form method="post" action=(self.path) {
                    label for="password" { (lang.say(("新密码（至少 12 个字符）", "New password, at least 12 characters"))) }
                    input id="password" name="password" type="password" autocomplete="new-password" required minlength="12" maxlength="1024";
                    button.main type="submit" { (lang.say(("保存并登录", "Save and sign in"))) }
                }
            }
        };
        frame.page(&html! {}, &body)
    }
}

/// A page that only says why something is not shown or done.
pub fn refused(lang: Lang, path: &str, title: Words, why: Words) -> String {
    let frame = Frame {
        lang,
        area: Area::Account,
        title,
        path,
        places: &[],
        script: None,
        as_of: None,
    };
    let body = html! {
        section.card.narrow {
            h1 { (lang.say(title)) }
            p { (lang.say(why)) }
            p { a.button href="/account" { (lang.say(("我的账户", "My account"))) } }
        }
    };
    frame.page(&html! {}, &body)
}
