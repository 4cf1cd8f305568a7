//! The pages about people in both languages: no word of the other one, no name that becomes markup, a token in every form.

use pages::api::{DocsRow, DocsView};
use pages::chip::Tone;
use pages::people::{
    AccountView, AuditRow, AuditView, DeliveryRow, EverybodyView, PersonRow, ProposalRow,
    ProposalSale, ProposalView, ProposalsView, SecondFactorView, SignInView, WebhookRow,
    WebhooksView, WelcomeView, refused,
};
use pages::{Lang, Words};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const NAME: &str = "\"><img src=x onerror=alert(1)>";
const ROLE: Words = ("主管", "supervisor");
const AS_OF: &str = "2026-11-22 14:03:05";
const TOLD: Option<Words> = Some(("验证码不对", "The code is not right"));

/// Every page about people; the first one needs no session.
pub fn every_page(lang: Lang) -> Vec<(&'static str, String)> {
    let (name, role, csrf, places, as_of) = (NAME, ROLE, TOKEN, &[][..], AS_OF);
    let person = PersonRow {
        name: NAME.to_owned(),
        role_id: "operator",
        role: ("运营", "operator"),
        merchant: None,
        second_factor: true,
        locked_until: Some(AS_OF.to_owned()),
        disabled: false,
    };
    let proposal = ProposalRow {
        id: 7,
        preview: (
            "角色变更".to_owned() + NAME,
            "another role ".to_owned() + NAME,
        ),
        maker: NAME.to_owned(),
        made: AS_OF.to_owned(),
        state: ("待复核", "waits for a second person"),
        tone: Tone::Wait,
        checked: Some((NAME.to_owned(), AS_OF.to_owned())),
    };
    let sale = ProposalSale {
        sale: "T0000001/000001/000042".to_owned(),
        amount: "¥1,234.00".to_owned(),
        said: ("将退回", "goes back"),
        tone: Tone::Wait,
    };
    let record = AuditRow {
        seq: 3,
        at: AS_OF.to_owned(),
        who: NAME.to_owned(),
        act: "signed_in".to_owned(),
        object: NAME.to_owned(),
        changed: Some(("ab".repeat(32), "cd".repeat(32))),
    };
    let webhook = WebhookRow {
        id: 1,
        merchant: Some(NAME.to_owned()),
        address: NAME.to_owned(),
        counts: (1, 2),
    };
    let delivery = DeliveryRow {
        id: 1,
        kind: "payment.answered".to_owned(),
        event: "3-0".to_owned(),
        state: (("已送达", "taken"), Tone::Closed),
        attempts: 2,
        said: Some(NAME.to_owned()),
        tried: Some(AS_OF.to_owned()),
    };
    let endpoint = DocsRow {
        verb: "GET",
        path: "/api/v1/sales".to_owned(),
        does: ("交易列表", "Lists transactions"),
        roles: vec![ROLE, ("运营", "operator")],
        query: vec![("limit", ("最多几条", "how many at most"))],
        body: Some("NewRole".to_owned()),
        gives: "SalePage".to_owned(),
    };
    vec![
        (
            "refused",
            refused(
                lang,
                "/console",
                ("没有权限", "Not for your role"),
                ("您的角色不能看。", "Your role does not."),
            ),
        ),
        (
            "welcome",
            WelcomeView {
                name,
                path: "/welcome/0123abcd",
                told: TOLD,
            }
            .page(lang),
        ),
        (
            "sign-in",
            SignInView {
                next: NAME,
                refused: TOLD,
            }
            .page(lang),
        ),
        (
            "account",
            AccountView {
                name,
                role,
                merchant: Some(NAME),
                second_factor: true,
                csrf,
                told: TOLD,
                places,
            }
            .page(lang),
        ),
        (
            "second factor",
            SecondFactorView {
                name: "li",
                role,
                csrf,
                secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                told: TOLD,
            }
            .page(lang),
        ),
        (
            "everybody",
            EverybodyView {
                rows: &[person],
                roles: &[
                    ("auditor", ("审计", "auditor")),
                    ("operator", ("运营", "operator")),
                ],
                all_roles: &[("merchant", ("商户", "merchant"))],
                manages: true,
                name,
                role,
                csrf,
                told: TOLD,
                places,
                as_of,
            }
            .page(lang),
        ),
        (
            "proposals",
            ProposalsView {
                rows: std::slice::from_ref(&proposal),
                name,
                role,
                csrf,
                places,
                as_of,
            }
            .page(lang),
        ),
        (
            "proposal",
            ProposalView {
                row: &proposal,
                sales: &[sale],
                link: Some("/welcome/0123abcd"),
                shown: "ff00",
                may_approve: true,
                may_refuse: true,
                told: TOLD,
                name,
                role,
                csrf,
                places,
                as_of,
            }
            .page(lang),
        ),
        (
            "audit",
            AuditView {
                rows: &[record],
                head: "3:ff",
                older: Some(3),
                name,
                role,
                csrf,
                places,
                as_of,
            }
            .page(lang),
        ),
        (
            "webhooks",
            WebhooksView {
                webhooks: &[webhook],
                deliveries: &[delivery],
                manages: true,
                told: TOLD,
                name,
                role,
                csrf,
                places,
                as_of,
            }
            .page(lang),
        ),
        (
            "docs",
            DocsView {
                rows: &[endpoint],
                shapes: &[("SalePage".to_owned(), NAME.to_owned())],
                host: Some(NAME),
            }
            .page(lang),
        ),
    ]
}

#[test]
fn no_name_is_markup() {
    for lang in Lang::ALL {
        for (page, html) in every_page(lang) {
            assert!(!html.contains("<img"), "{page}");
            assert!(
                !html.contains("style=") && !html.contains("<script"),
                "{page}: the policy forbids it"
            );
            let forms = html.matches(r#"method="post""#).count();
            let tokens = html
                .matches(&format!(r#"name="csrf" value="{TOKEN}""#))
                .count();
            // These forms come before any session.
            let before = ["sign-in", "welcome"].contains(&page);
            assert_eq!(tokens, if before { 0 } else { forms }, "{page}");
        }
    }
}

#[test]
fn the_second_factor_is_a_code_that_authenticators_read() {
    let pages = every_page(Lang::Zh);
    let html = &pages
        .iter()
        .find(|(name, _)| *name == "second factor")
        .expect("it is listed")
        .1;
    assert!(html.contains("JBSW Y3DP EHPK 3PXP"), "for those who type");
    assert!(html.contains(r#"<svg class="qr" viewBox="0 0 "#));
}

#[test]
fn a_checker_sees_what_is_named_by_the_approval() {
    let pages = every_page(Lang::En);
    let html = &pages
        .iter()
        .find(|(name, _)| *name == "proposal")
        .expect("it is listed")
        .1;
    assert!(html.contains(r#"name="shown" value="ff00""#) && html.contains("another role"));
    assert!(html.contains(r#"action="/console/proposals/7/approve""#));
}
