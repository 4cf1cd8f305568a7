//! The page of the virtual printer: what it is like, everything that can be done to it, and the paper it printed.
//!
//! It works without scripts; a short one only brings the next state without a reload. No colour speaks alone.

use super::bench::Bench;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use receipt::bitmap::escaped;
use receipt::virtual_printer::{Echo, Fault, Told};
use receipt::{Paper, PrintedSlip, VirtualPrinter};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Pieces of paper on the page; all that are kept have their own address.
const SHOWN_MAX: usize = 24;
/// How long a question for the next state is held open.
const HELD: Duration = Duration::from_secs(20);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(150);

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The routes; `zh` is the language until a reader chooses.
pub fn page(bench: Bench, zh: bool) -> Router {
    Router::new()
        .route("/", get(whole))
        .route("/next", get(next))
        .route("/do/{word}", post(obey))
        .route("/paper/{file}", get(paper))
        .with_state(Served { bench, zh })
}

#[derive(Clone, Debug)]
struct Served {
    bench: Bench,
    zh: bool,
}

type Asked = Query<BTreeMap<String, String>>;

impl Served {
    fn tongue(&self, asked: &Asked) -> Tongue {
        match asked.get("lang").map(String::as_str) {
            Some("zh") => Tongue { zh: true },
            Some("en") => Tongue { zh: false },
            _ => Tongue { zh: self.zh },
        }
    }
}

/// The language of one page.
#[derive(Clone, Copy)]
struct Tongue {
    zh: bool,
}

impl Tongue {
    fn say<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        if self.zh { zh } else { en }
    }

    fn of<'a>(self, words: (&'a str, &'a str)) -> &'a str {
        self.say(words.0, words.1)
    }

    fn code(self) -> &'static str {
        if self.zh { "zh" } else { "en" }
    }
}

async fn whole(State(served): State<Served>, asked: Asked) -> Html<String> {
    let tongue = served.tongue(&asked);
    let seen = served.bench.with(|printer| mark(printer));
    let main = main_of(&served.bench, tongue);
    let title = tongue.say("虚拟打印机 · 存根", "Virtual printer · Counterfoil");
    let (other, other_words) = if tongue.zh {
        ("en", "English")
    } else {
        ("zh", "中文")
    };
    let language = tongue.say("zh-CN", "en");
    let name = tongue.say("虚拟打印机", "Virtual printer");
    Html(format!(
        "<!doctype html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
<link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style>\
<noscript><meta http-equiv=\"refresh\" content=\"4\"></noscript></head><body>\n\
<header><span class=\"seal\" aria-hidden=\"true\">存根</span><h1>{name}</h1>\
<a href=\"/?lang={other}\" lang=\"{other}\">{other_words}</a></header>\n\
<main id=\"main\" data-seen=\"{seen}\" data-lang=\"{}\">{main}</main>\n<script>{SCRIPT}</script></body></html>\n",
        tongue.code()
    ))
}

/// The middle of the page once it differs from what was seen, or after a while.
async fn next(State(served): State<Served>, asked: Asked) -> Response {
    let tongue = served.tongue(&asked);
    let seen = asked.get("seen").cloned().unwrap_or_default();
    let until = Instant::now() + HELD;
    loop {
        let now = served.bench.with(|printer| mark(printer));
        if now != seen || Instant::now() >= until {
            let headers = [("x-seen", now)];
            return (headers, Html(main_of(&served.bench, tongue))).into_response();
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Only this page's own forms may press a button.
async fn obey(
    State(served): State<Served>,
    Path(word): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Response {
    let named = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = named(header::HOST).unwrap_or_default();
    if named(header::ORIGIN).is_some_and(|origin| origin != format!("http://{host}")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if !served.bench.obey(&word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    Redirect::to(&format!("/?lang={}", served.tongue(&asked).code())).into_response()
}

async fn paper(State(served): State<Served>, Path(file): Path<String>) -> Response {
    let found = file.rsplit_once('.').and_then(|(number, kind)| {
        let slip = served.bench.with(|printer| {
            if number == "now" {
                return Some(printer.unfinished());
            }
            let number: usize = number.parse().ok()?;
            let kept = printer.papers_total() - printer.papers().len();
            let place = number.checked_sub(kept + 1)?;
            printer.papers().get(place).cloned()
        })?;
        let paper = served.bench.with(|printer| printer.paper());
        Some((kind.to_owned(), slip, paper))
    });
    let Some((kind, slip, paper)) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match kind.as_str() {
        "png" => typed("image/png", slip.bitmap(paper).png()),
        "svg" => typed("image/svg+xml", slip.bitmap(paper).svg(&slip.text)),
        "txt" => typed("text/plain; charset=utf-8", slip.text),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn typed(kind: &str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

/// Differs whenever the page would.
fn mark(printer: &VirtualPrinter) -> String {
    let faults: Vec<_> = printer.faults().iter().map(|f| f.commands().0).collect();
    format!(
        "{}-{}-{}-{}-{}-{}-{}",
        printer.papers_total(),
        printer.unfinished().marks.len(),
        u8::from(printer.idle()),
        u8::from(printer.drawer().0),
        printer.echo().command(),
        printer.told().command(),
        faults.join("."),
    )
}

fn main_of(bench: &Bench, tongue: Tongue) -> String {
    let (zh, en) = bench.state();
    let state = tongue.say(&zh, &en).to_owned();
    bench.with(|printer| {
        let stops = stops(printer);
        let lies = printer.echo() != Echo::Honest || printer.told() != Told::Honest;
        let (tone, sign) = match (stops, lies || !printer.faults().is_empty()) {
            (true, _) => ("stop", "✕"),
            (false, true) => ("wait", "▲"),
            (false, false) => ("closed", "✓"),
        };
        let mut html = format!(
            "<section class=\"card now\"><p class=\"state {tone}\"><span aria-hidden=\"true\">{sign}</span> {}</p>{}{}<a class=\"jump\" href=\"#papers\">{}</a></section>",
            escaped(&state),
            picture(printer),
            lamps(printer, tongue),
            tongue.say("看打印出的纸", "To the paper that came out"),
        );
        html += &controls(printer, tongue);
        html += &papers(printer, tongue);
        html
    })
}

/// Whether anything keeps it from printing or from being reached.
fn stops(printer: &VirtualPrinter) -> bool {
    let harmless = [
        Fault::NearEnd,
        Fault::Blank,
        Fault::NoChinese,
        Fault::Slow,
        Fault::SmallBuffer,
        Fault::WaitsForRecovery,
    ];
    printer.faults().iter().any(|f| !harmless.contains(f))
}

/// Four lamps in words, each with its sign.
fn lamps(printer: &VirtualPrinter, tongue: Tongue) -> String {
    let has = |fault| printer.has(fault);
    let power = match has(Fault::PowerOff) {
        true => ("stop", "✕", tongue.say("关", "off")),
        false => ("closed", "✓", tongue.say("开", "on")),
    };
    let line = match (has(Fault::Unplugged), has(Fault::Silent)) {
        (true, _) => ("stop", "✕", tongue.say("线已拔出", "cable out")),
        (false, true) => ("wait", "▲", tongue.say("只收不答", "never answers")),
        (false, false) => ("closed", "✓", tongue.say("接好", "plugged in")),
    };
    let paper = match (has(Fault::PaperOut), has(Fault::NearEnd)) {
        (true, _) => ("stop", "✕", tongue.say("缺纸", "out")),
        (false, true) => ("wait", "◐", tongue.say("将尽", "near its end")),
        (false, false) => ("closed", "✓", tongue.say("有纸", "there")),
    };
    let errors = [
        Fault::CoverOpen,
        Fault::CutterStuck,
        Fault::Jam,
        Fault::HeadFault,
        Fault::HeadHot,
        Fault::Voltage,
        Fault::FeedButton,
    ];
    let error = match errors.into_iter().find(|fault| has(*fault)) {
        Some(fault) => ("stop", "✕", tongue.of(fault.words())),
        None => ("closed", "✓", tongue.say("无", "none")),
    };
    let (open, kicks) = printer.drawer();
    let drawer = match open {
        true => ("wait", "◐", tongue.say("开着", "open")),
        false => ("closed", "✓", tongue.say("关着", "shut")),
    };
    let mut html = String::from("<dl class=\"lamps\">");
    for (name, (tone, sign, word)) in [
        (tongue.say("电源", "Power"), power),
        (tongue.say("数据线", "Line"), line),
        (tongue.say("纸", "Paper"), paper),
        (tongue.say("出错", "Error"), error),
        (tongue.say("钱箱", "Drawer"), drawer),
    ] {
        let _ = write!(
            html,
            "<div><dt>{name}</dt><dd class=\"{tone}\"><span aria-hidden=\"true\">{sign}</span> {word}</dd></div>"
        );
    }
    html += "</dl>";
    if open {
        let shut = tongue.say("关上钱箱", "Shut the drawer");
        html += &button("shut", shut, false, tongue);
    }
    if kicks > 0 {
        let _ = match tongue.zh {
            true => write!(html, "<p class=\"quiet\">钱箱共弹开 {kicks} 次。</p>"),
            false => write!(html, "<p class=\"quiet\">Drawer kicks: {kicks}.</p>"),
        };
    }
    html
}

/// The printer as a drawing: lid, slot, paper, cable.
fn picture(printer: &VirtualPrinter) -> String {
    let has = |fault| printer.has(fault);
    let lid = if has(Fault::CoverOpen) {
        "<g transform=\"rotate(-12 46 84)\"><rect x=\"40\" y=\"72\" width=\"240\" height=\"16\" rx=\"8\" class=\"body open\"/></g>"
    } else {
        "<rect x=\"40\" y=\"72\" width=\"240\" height=\"16\" rx=\"8\" class=\"body\"/>"
    };
    let paper = match (has(Fault::PaperOut), has(Fault::Blank)) {
        (true, _) => "<path class=\"none\" d=\"M104 70V30h112v40\"/>".to_owned(),
        (false, blank) => {
            let text = if blank {
                ""
            } else {
                "<path class=\"ink\" d=\"M118 34h60M118 44h84M118 54h44\"/>"
            };
            format!(
                "<path class=\"paper\" d=\"M104 72V22l7 5 7-5 7 5 7-5 7 5 7-5 7 5 7-5 7 5 7-5 7 5 7-5 7 5 7-5 7 5 7-5v50z\"/>{text}"
            )
        }
    };
    let cable = if has(Fault::Unplugged) {
        "<path class=\"cable\" d=\"M280 142h12\"/><path class=\"cable cut\" d=\"M306 142h14M296 136l8 12M304 136l-8 12\"/>"
    } else {
        "<path class=\"cable\" d=\"M280 142h40\"/>"
    };
    let light = if has(Fault::PowerOff) { "off" } else { "lit" };
    format!(
        "<svg class=\"machine\" viewBox=\"0 0 320 190\" aria-hidden=\"true\">{paper}\
<rect x=\"40\" y=\"80\" width=\"240\" height=\"92\" rx=\"14\" class=\"body\"/>{lid}\
<path class=\"slot\" d=\"M96 80h128\"/>{cable}<circle class=\"{light}\" cx=\"252\" cy=\"152\" r=\"5\"/></svg>"
    )
}

/// Faults in groups, then the ways to lie.
fn controls(printer: &VirtualPrinter, tongue: Tongue) -> String {
    let groups: [((&str, &str), &[Fault]); 4] = [
        (
            ("纸和盖", "Paper and cover"),
            &[
                Fault::PaperOut,
                Fault::NearEnd,
                Fault::CoverOpen,
                Fault::Blank,
                Fault::FeedButton,
            ],
        ),
        (
            ("机械和打印头", "Mechanism and head"),
            &[
                Fault::CutterStuck,
                Fault::Jam,
                Fault::HeadFault,
                Fault::HeadHot,
                Fault::Voltage,
                Fault::WaitsForRecovery,
            ],
        ),
        (
            ("电源和数据线", "Power and line"),
            &[
                Fault::PowerOff,
                Fault::Unplugged,
                Fault::Silent,
                Fault::Deselected,
            ],
        ),
        (
            ("机型", "Kind of printer"),
            &[
                Fault::NoChinese,
                Fault::Slow,
                Fault::SmallBuffer,
                Fault::BufferFull,
            ],
        ),
    ];
    let mut html = String::from("<section class=\"card knobs\">");
    for (name, faults) in groups {
        let _ = write!(html, "<h2>{}</h2><div class=\"keys\">", tongue.of(name));
        for fault in faults {
            let on = printer.has(*fault);
            let (bring, end) = fault.commands();
            html += &button(
                if on { end } else { bring },
                tongue.of(fault.words()),
                on,
                tongue,
            );
        }
        html += "</div>";
    }
    let _ = write!(
        html,
        "<h2>{}</h2><p class=\"quiet\">{}</p><div class=\"keys\">",
        tongue.say("对打印凭证号怎么应答", "How it answers process IDs"),
        tongue.say(
            "只有如实应答的打印机才能证明凭条已印出。",
            "Only a printer that answers honestly can prove that a slip is on paper.",
        ),
    );
    for echo in Echo::ALL {
        let chosen = printer.echo() == echo;
        html += &button(echo.command(), tongue.of(echo.words()), chosen, tongue);
    }
    let _ = write!(
        html,
        "</div><h2>{}</h2><div class=\"keys\">",
        tongue.say("对状态怎么应答", "How it tells its status")
    );
    for told in Told::ALL {
        let chosen = printer.told() == told;
        html += &button(told.command(), tongue.of(told.words()), chosen, tongue);
    }
    html + "</div></section>"
}

fn button(word: &str, label: &str, on: bool, tongue: Tongue) -> String {
    let sign = if on { "● " } else { "" };
    format!(
        "<form method=\"post\" action=\"/do/{word}?lang={}\"><button aria-pressed=\"{on}\">{sign}{}</button></form>",
        tongue.code(),
        escaped(label)
    )
}

/// The paper, newest first; what still stands in the printer before all.
fn papers(printer: &VirtualPrinter, tongue: Tongue) -> String {
    let total = printer.papers_total();
    let mut html = String::from("<section class=\"papers\" id=\"papers\">");
    let _ = match tongue.zh {
        true => write!(html, "<h2>打印出的纸：{total} 张</h2>"),
        false => write!(html, "<h2>Paper that came out: {total}</h2>"),
    };
    let unfinished = printer.unfinished();
    if !unfinished.marks.is_empty() {
        let title = tongue.say("还在打印机里", "still in the printer");
        html += &piece("now", title, &unfinished, printer.paper(), tongue);
    }
    let newest = printer.papers().iter().rev().take(SHOWN_MAX);
    for (back, slip) in newest.enumerate() {
        let number = total - back;
        let end = match slip.cut {
            true => tongue.say("已切下", "cut off"),
            false => tongue.say("撕下，没有切", "torn, not cut"),
        };
        let title = match tongue.zh {
            true => format!("第 {number} 张，{end}"),
            false => format!("No {number}, {end}"),
        };
        html += &piece(&number.to_string(), &title, slip, printer.paper(), tongue);
    }
    if total == 0 && unfinished.marks.is_empty() {
        let _ = write!(
            html,
            "<p class=\"quiet\">{}</p>",
            tongue.say("还没有打印。", "Nothing was printed yet.")
        );
    }
    html + "</section>"
}

fn piece(number: &str, title: &str, slip: &PrintedSlip, paper: Paper, tongue: Tongue) -> String {
    let width = paper.columns() * 12;
    let height = slip.dots().max(1);
    let text = match slip.text.as_str() {
        "" => tongue.say("纸上什么也没有。", "There is nothing on the paper."),
        text => text,
    };
    let heading = tongue.say("全文", "Full text");
    format!(
        "<article><h3>{title}</h3><div class=\"sheet\"><img src=\"/paper/{number}.svg?{height}\" width=\"{width}\" height=\"{height}\" alt=\"{heading}\"></div>\
<div class=\"text\"><h4>{heading}</h4><pre>{}</pre></div></article>",
        escaped(text)
    )
}
