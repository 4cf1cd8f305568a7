//! Pages about people: sign-in, one's own account, everybody's accounts, proposals for a second pair of eyes, the audit log.
//!
//! Every form carries the session's token; what a checker approves is named by the hash of what this page showed.

mod account;
mod audit;
mod everybody;
mod proposals;
mod sign_in;
mod webhooks;

pub use account::{AccountView, SecondFactorView};
pub use audit::{AuditRow, AuditView};
pub use everybody::{EverybodyView, PersonRow};
pub use proposals::{ProposalRow, ProposalSale, ProposalView, ProposalsView};
pub use sign_in::{SignInView, WelcomeView, refused};
pub use webhooks::{DeliveryRow, WebhookRow, WebhooksView};

use crate::{Lang, Markup, Words, html};

/// The hidden field that every form of a session carries.
pub fn csrf(token: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(token); }
}

/// What stands beside the brand: who is signed in, and the way out.
pub fn signed_in(lang: Lang, name: &str, role: Words, token: &str) -> Markup {
    html! {
        form.who method="post" action="/logout" {
            (csrf(token))
            a href="/account" { (name) } " " span.second { (lang.say(role)) } " "
            button type="submit" { (lang.say(("退出", "Sign out"))) }
        }
    }
}

/// A sentence about what just happened, where there is one.
fn told(lang: Lang, words: Option<Words>) -> Markup {
    html! { @if let Some(words) = words { p.told role="status" { (lang.say(words)) } } }
}
