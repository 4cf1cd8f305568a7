//! Draws a slip as a fragment of HTML: headings, lists and tables that say without looks what they are.
//!
//! It holds exactly the words of the other drawings, every state in words, every language marked.

use crate::bitmap::escaped;
use crate::qr::Matrix;
use crate::slip::{Align, Language, Row, Size, Slip, Wording};
use std::fmt::Write;

/// Dots of a module of the code on a screen.
const MODULE_DOTS: u32 = 6;

impl Slip {
    /// An `article` of class `slip`, to be styled by the page around it; it needs no script.
    pub fn html(&self) -> String {
        let language = match self.language() {
            Language::Zh | Language::Both => "zh-CN",
            Language::En => "en",
        };
        let mut page = format!("<article class=\"slip\" lang=\"{language}\">\n");
        let mut listing = false;
        for row in self.rows() {
            let pair = matches!(row, Row::Pair { .. });
            if pair != listing {
                page.push_str(if pair { "<dl>\n" } else { "</dl>\n" });
                listing = pair;
            }
            page.push_str(&element(row));
        }
        if listing {
            page.push_str("</dl>\n");
        }
        page.push_str("</article>\n");
        page
    }
}

fn element(row: &Row) -> String {
    match row {
        Row::Title(words) => format!("<h2>{}</h2>\n", phrase(words)),
        Row::Text {
            words,
            align,
            size,
            bold,
        } => {
            let words = match bold {
                true => format!("<strong>{}</strong>", phrase(words)),
                false => phrase(words),
            };
            format!("<p{}>{words}</p>\n", classes(*align, *size))
        }
        Row::Pair { label, value, size } => format!(
            "<dt>{}</dt><dd{}>{}</dd>\n",
            phrase(label),
            classes(Align::Left, *size),
            phrase(value)
        ),
        Row::Table(rows) => table(rows),
        Row::Details(details) => {
            let items: String = details
                .iter()
                .map(|(name, value)| {
                    format!(
                        "<div><dt lang=\"en\">{name}</dt><dd>{}</dd></div>\n",
                        escaped(value)
                    )
                })
                .collect();
            format!("<dl class=\"details\">\n{items}</dl>\n")
        }
        Row::Rule => "<hr>\n".into(),
        Row::SignatureLine => "<hr class=\"signature\">\n".into(),
        Row::Qr { payload, caption } => code(payload, caption),
        Row::Image { picture, words } => {
            format!("<figure>{}</figure>\n", picture.svg(&words.joined()))
        }
        Row::Feed(_) => String::new(),
    }
}

fn phrase(words: &Wording) -> String {
    match words {
        Wording::One(text) => escaped(text),
        Wording::Two(zh, en) => {
            let (zh, en) = (escaped(zh), escaped(en));
            format!("<span>{zh}</span> <span lang=\"en\">{en}</span>")
        }
    }
}

fn classes(align: Align, size: Size) -> &'static str {
    match (align, size) {
        (Align::Left, Size::Normal) => "",
        (Align::Left, Size::Double) => " class=\"large\"",
        (Align::Centre, Size::Normal) => " class=\"centre\"",
        (Align::Centre, Size::Double) => " class=\"centre large\"",
        (Align::Right, Size::Normal) => " class=\"right\"",
        (Align::Right, Size::Double) => " class=\"right large\"",
    }
}

fn table(rows: &[Vec<Wording>]) -> String {
    let Some((head, body)) = rows.split_first() else {
        return String::new();
    };
    let mut page = String::from("<table>\n<thead><tr>");
    for cell in head {
        page.push_str(&format!("<th scope=\"col\">{}</th>", phrase(cell)));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in body {
        page.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let cell = phrase(cell);
            let drawn = match column {
                0 => write!(page, "<th scope=\"row\">{cell}</th>"),
                _ => write!(page, "<td>{cell}</td>"),
            };
            drawn.expect("text grows");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
    page
}

/// The code as a picture, and its link to follow where it leads to a web page.
fn code(payload: &str, caption: &Wording) -> String {
    let picture = Matrix::of(payload).map_or(String::new(), |matrix| {
        matrix.bitmap(MODULE_DOTS).svg(&caption.joined())
    });
    let (link, words) = (escaped(payload), phrase(caption));
    let lower = payload.to_ascii_lowercase();
    let leads = lower.starts_with("https://") || lower.starts_with("http://");
    let text = match leads {
        true => format!("{words} <a href=\"{link}\">{link}</a>"),
        false => format!("{words} {link}"),
    };
    format!("<figure>{picture}<figcaption>{text}</figcaption></figure>\n")
}
