//! The page of the customers: their accounts and codes, the orders that wait for their word, and what can be broken.
//!
//! It works without scripts. No colour speaks alone, and only this page's own forms may press a button.

use super::books::{Account, Placed};
use super::fault::{Act, FOR_EVER};
use super::{CODE_LIFE_MS, Simulator};
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use payment::Amount;
use receipt::bitmap::escaped;
use std::collections::BTreeMap;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
/// Orders on the page.
const SHOWN_MAX: u32 = 20;

pub(super) fn routes(wallet: Simulator) -> Router {
    Router::new()
        .route("/", get(whole))
        .route("/q/{number}", get(scanned))
        .route("/customer/{account}/code", post(code))
        .route("/order/{number}/{word}", post(answer))
        .route("/fault/{word}", post(fault))
        .with_state(wallet)
}

type Fields = BTreeMap<String, String>;

/// The language of one page.
#[derive(Clone, Copy)]
struct Tongue {
    zh: bool,
}

impl Tongue {
    fn of(asked: &Fields) -> Self {
        Self {
            zh: asked.get("lang").is_none_or(|language| language != "en"),
        }
    }

    fn say<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        if self.zh { zh } else { en }
    }

    fn pick<'a>(self, words: (&'a str, &'a str)) -> &'a str {
        self.say(words.0, words.1)
    }

    fn code(self) -> &'static str {
        if self.zh { "zh" } else { "en" }
    }
}

async fn whole(State(wallet): State<Simulator>, Query(asked): Query<Fields>) -> Response {
    let tongue = Tongue::of(&asked);
    let seen = wallet.accounts().and_then(|accounts| {
        let orders = wallet.orders(SHOWN_MAX)?;
        Ok((accounts, orders))
    });
    let Ok((accounts, orders)) = seen else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut body = String::new();
    for account in &accounts {
        body += &account_card(account, tongue);
    }
    body += &orders_card(&orders, &accounts, tongue);
    body += &faults_card(&wallet, tongue);
    page(tongue, "/", &body)
}

/// Where a QR code leads: the one order, with a button for every account.
async fn scanned(
    State(wallet): State<Simulator>,
    Path(number): Path<String>,
    Query(asked): Query<Fields>,
) -> Response {
    let tongue = Tongue::of(&asked);
    match (wallet.order(&number), wallet.accounts()) {
        (Ok(Some(order)), Ok(accounts)) => {
            let body = format!(
                "<section class=\"wide\"><ul>{}</ul></section>",
                order_line(&order, &accounts, tongue)
            );
            page(tongue, &format!("/q/{}", escaped(&number)), &body)
        }
        (Ok(None), Ok(_)) => StatusCode::NOT_FOUND.into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn code(
    State(wallet): State<Simulator>,
    Path(account): Path<String>,
    Query(asked): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let tongue = Tongue::of(&asked);
    match wallet.new_code(&account) {
        Ok(Some(code)) => {
            let life = CODE_LIFE_MS / 1_000;
            let note = match tongue.zh {
                true => format!("付款码，{life} 秒内有效，只能用一次。"),
                false => format!("Payment code: works once, within {life} seconds."),
            };
            let body = format!(
                "<section class=\"wide\"><output class=\"code\">{code}</output><p class=\"second\">{note}</p>\
                 <p><a href=\"/?lang={}\">{}</a></p></section>",
                tongue.code(),
                tongue.say("返回", "Back"),
            );
            page(tongue, "/", &body)
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Yes or no to an order.
async fn answer(
    State(wallet): State<Simulator>,
    Path((number, word)): Path<(String, String)>,
    Query(asked): Query<Fields>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let account = fields.get("account").map(String::as_str);
    let done = match word.as_str() {
        "confirm" => wallet.confirm(&number, account),
        "refuse" => wallet.refuse(&number),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match done {
        Ok(true) => home(&asked),
        Ok(false) => StatusCode::CONFLICT.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Plans a fault by its word, or heals everything.
async fn fault(
    State(wallet): State<Simulator>,
    Path(word): Path<String>,
    Query(asked): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match (word.as_str(), Act::parse(&word)) {
        ("heal", _) => wallet.heal(),
        (_, Ok((act, times))) => wallet.plan(act, times),
        (_, Err(_)) => return StatusCode::NOT_FOUND.into_response(),
    }
    home(&asked)
}

fn home(asked: &Fields) -> Response {
    Redirect::to(&format!("/?lang={}", Tongue::of(asked).code())).into_response()
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let named = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = named(header::HOST).unwrap_or_default();
    named(header::ORIGIN).is_some_and(|origin| origin != format!("http://{host}"))
}

fn page(tongue: Tongue, path: &str, body: &str) -> Response {
    let title = tongue.say("钱包模拟器 · 存根", "Wallet simulator · Counterfoil");
    let name = tongue.say("钱包模拟器", "Wallet simulator");
    let (other, words) = if tongue.zh {
        ("en", "English")
    } else {
        ("zh", "中文")
    };
    let language = tongue.say("zh-CN", "en");
    Html(format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><header><h1>{name}</h1>\
         <a href=\"{path}?lang={other}\" lang=\"{}\">{words}</a></header><main>{body}</main></body></html>",
        if tongue.zh { "en" } else { "zh-CN" },
    ))
    .into_response()
}

fn yuan(minor: i64) -> String {
    format!("{}", Amount::fen(minor.max(0) as u64))
}

fn account_card(account: &Account, tongue: Tongue) -> String {
    format!(
        "<section><h2>{} <span class=\"second\">{}</span></h2><p class=\"money\">{}</p>\
         <form method=\"post\" action=\"/customer/{}/code?lang={}\"><button>{}</button></form></section>",
        escaped(tongue.pick((&account.words.0, &account.words.1))),
        tongue.pick(account.brand.words()),
        yuan(account.balance_minor),
        escaped(&account.name),
        tongue.code(),
        tongue.say("出示付款码", "Show a payment code"),
    )
}

fn orders_card(orders: &[Placed], accounts: &[Account], tongue: Tongue) -> String {
    let lines = orders
        .iter()
        .map(|order| order_line(order, accounts, tongue));
    let lines: String = lines.collect();
    let none = tongue.say("还没有订单。", "No orders yet.");
    format!(
        "<section class=\"wide\"><h2>{}</h2>{}</section>",
        tongue.say("订单", "Orders"),
        if lines.is_empty() {
            format!("<p>{none}</p>")
        } else {
            format!("<ul>{lines}</ul>")
        },
    )
}

fn order_line(order: &Placed, accounts: &[Account], tongue: Tongue) -> String {
    let (tone, sign, words) = match order.state.as_str() {
        "shown" => ("wait", "◐", ("等待扫码", "Waiting to be scanned")),
        "user-paying" => ("wait", "◐", ("等待顾客确认", "Waiting for the customer")),
        "paid" => ("closed", "✓", ("已支付", "Paid")),
        "declined" => ("stop", "✕", ("支付失败", "Declined")),
        "revoked" => ("stop", "↩", ("已撤销", "Revoked")),
        _ => ("stop", "✕", ("已关闭", "Closed")),
    };
    let mut line = format!(
        "<li><p><span class=\"money\">{}</span></p><p class=\"state {tone}\">{sign} {}</p><p class=\"second\">{} · {}</p>",
        yuan(order.amount_minor),
        tongue.pick(words),
        escaped(&order.number),
        escaped(&order.merchant),
    );
    let given_back = order.amount_minor - order.net_minor;
    if order.state == "paid" && given_back > 0 {
        let words = tongue.say("已退回", "Given back:");
        let _ = write!(line, "<p>↩ {words} {}</p>", yuan(given_back));
    }
    let mut button = |word: &str, class: &str, field: &str, words: &str| {
        let number = escaped(&order.number);
        let _ = write!(
            line,
            "<form method=\"post\" action=\"/order/{number}/{word}?lang={}\">{field}<button class=\"{class}\">{words}</button></form>",
            tongue.code(),
        );
    };
    match order.state.as_str() {
        "shown" => {
            for account in accounts {
                let name = escaped(tongue.pick((&account.words.0, &account.words.1)));
                let words = format!("{} {name}", tongue.say("扫码付款：", "Scan and pay:"));
                let account = escaped(&account.name);
                let field = format!("<input type=\"hidden\" name=\"account\" value=\"{account}\">");
                button("confirm", "yes", &field, &words);
            }
        }
        "user-paying" => {
            button(
                "confirm",
                "yes",
                "",
                tongue.say("输入密码并支付", "Enter the password and pay"),
            );
            button("refuse", "", "", tongue.say("取消支付", "Do not pay"));
        }
        _ => {}
    }
    line + "</li>"
}

fn faults_card(wallet: &Simulator, tongue: Tongue) -> String {
    let buttons = Act::ALL.map(|act| {
        format!(
            "<form method=\"post\" action=\"/fault/{}?lang={}\"><button>{}</button></form>",
            act.command(),
            tongue.code(),
            tongue.pick(act.words()),
        )
    });
    let plan = wallet.plan_locked();
    let waiting = plan.waiting().map(|(act, times)| {
        let times = if times == FOR_EVER {
            "∞".to_owned()
        } else {
            times.to_string()
        };
        format!("{} × {times}", tongue.pick(act.words()))
    });
    let waiting: Vec<String> = waiting.collect();
    let state = match waiting.is_empty() {
        true => format!("✓ {}", tongue.say("没有故障", "Nothing is broken")),
        false => format!("▲ {}", waiting.join(" · ")),
    };
    format!(
        "<section class=\"wide\"><h2>{}</h2><p>{state}</p>{}<form method=\"post\" action=\"/fault/heal?lang={}\">\
         <button class=\"yes\">{}</button></form></section>",
        tongue.say("故障", "Faults"),
        buttons.concat(),
        tongue.code(),
        tongue.say("恢复正常", "Heal"),
    )
}
