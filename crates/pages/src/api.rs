//! The docs page of the API: every endpoint with its rights, and every type that is sent, without a line of script.

use crate::{Area, Frame, Lang, Words, html};

/// One endpoint.
#[derive(Clone, Debug)]
pub struct DocsRow {
    /// `GET` or `POST`.
    pub verb: &'static str,
    /// Its path.
    pub path: String,
    /// What it does.
    pub does: Words,
    /// Who may ask it.
    pub roles: Vec<Words>,
    /// What the query may hold, and what that is.
    pub query: Vec<(&'static str, Words)>,
    /// Name of the type of its body.
    pub body: Option<String>,
    /// Name of the type that comes back.
    pub gives: String,
}

/// The page.
#[derive(Clone, Debug)]
pub struct DocsView<'a> {
    /// Endpoints.
    pub rows: &'a [DocsRow],
    /// Types by name, with their descriptions as JSON.
    pub shapes: &'a [(String, String)],
    /// The host that the page was asked of, for the example.
    pub host: Option<&'a str>,
}

impl DocsView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Account,
            title: ("接口文档", "API"),
            path: "/api/docs",
            places: &[],
            script: None,
            as_of: None,
        };
        let host = self.host.unwrap_or("127.0.0.1");
        let body = html! {
            section.card {
                h1 { (lang.say(("接口文档", "API"))) }
                p { (lang.say((
                    "页面能做的，程序也能做。金额为整数（分），时间为 RFC 3339，错误都是 problem+json。",
                    "What the pages do, for programs. Amounts are integers in minor units, times are RFC 3339, every error is problem+json.",
                ))) " " a href="/api/openapi.json" { "OpenAPI 3.1" } }
                pre.code { "curl -H 'Authorization: Bearer cfk_…' http://" (host) "/api/v1/sales?limit=5" }
                ul.plain {
                    li { code { "outcome" } " " (lang.say(("none：什么都没有发生；unknown：还不知道", "none: nothing happened; unknown: not known yet"))) }
                    li { code { "retry_safe" } " " (lang.say(("可以放心重发", "may be sent again without harm"))) }
                    li { code { "ask_again_after" } " " (lang.say(("几秒后再问", "seconds after which asking again makes sense"))) }
                    li { code { "Idempotency-Key" } " " (lang.say((
                        "同键同内容，答复相同；什么都没有发生的键可以再用",
                        "same key and body, same answer; a key whose request did nothing is free again",
                    ))) }
                }
            }
            @for row in self.rows {
                article.card.endpoint {
                    h2 { span.verb { (row.verb) } " " code { (row.path) } }
                    p { (lang.say(row.does)) }
                    dl.facts {
                        dt { (lang.say(("角色", "Roles"))) }
                        dd { @for (n, role) in row.roles.iter().enumerate() { @if n > 0 { (lang.say(("、", ", "))) } (lang.say(*role)) } }
                        @for (name, what) in &row.query { dt { code { (name) } } dd { (lang.say(*what)) } }
                        @if let Some(body) = &row.body { dt { (lang.say(("内容", "Body"))) } dd { a href={ "#" (body) } { (body) } } }
                        dt { (lang.say(("答复", "Answer"))) } dd { a href={ "#" (row.gives) } { (row.gives) } }
                    }
                }
            }
            section.card {
                h2 { (lang.say(("类型", "Types"))) }
                @for (name, schema) in self.shapes {
                    details id=(name) { summary { code { (name) } } pre.code lang="en" { (schema) } }
                }
            }
        };
        frame.page(&html! {}, &body)
    }
}
