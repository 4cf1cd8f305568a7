//! What stands around every page: head, brand, places to go, language, the age of what is shown.

use crate::language::{Lang, Words};
use maud::{DOCTYPE, Markup, html};

/// A page is smaller than this, and so is each file that it needs.
pub const PAGE_BYTES_MAX: usize = 200_000;

/// Whose page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The cardholder's.
    Cardholder,
    /// The till's.
    Till,
    /// The merchant's.
    Merchant,
    /// The operator's.
    Console,
    /// The fault lab's.
    Lab,
    /// Anybody's own: sign-in, password, second factor.
    Account,
}

impl Area {
    /// Class of the body and its name beside the brand.
    const fn named(self) -> (&'static str, Words) {
        match self {
            Self::Cardholder => ("cardholder", ("我的钱在哪里", "Where is my money")),
            Self::Till => ("till", ("收银台", "Till")),
            Self::Merchant => ("merchant", ("商户", "Merchant")),
            Self::Console => ("console", ("运营台", "Console")),
            Self::Lab => ("lab", ("故障实验室", "Fault lab")),
            Self::Account => ("account", ("账户", "Account")),
        }
    }
}

/// A place to go.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its path.
    pub path: String,
    /// Its name.
    pub name: Words,
    /// Items that wait there; none is not shown.
    pub waiting: Option<u64>,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// Language.
    pub lang: Lang,
    /// Whose page it is.
    pub area: Area,
    /// Its title.
    pub title: Words,
    /// Its own path with its query, without `lang`: where the language switch leads.
    pub path: &'a str,
    /// Where one can go from here.
    pub places: &'a [Place],
    /// The script that keeps it live, of [`crate::served::FILES`]; every page works without.
    pub script: Option<&'a str>,
    /// China time at which its data was looked at.
    pub as_of: Option<&'a str>,
}

impl Frame<'_> {
    /// The whole page: `head` is what stands beside the brand, `body` goes into `<main>`.
    pub fn page(&self, head: &Markup, body: &Markup) -> String {
        let lang = self.lang;
        let (class, area) = self.area.named();
        html! {
            (DOCTYPE)
            html lang=(lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    meta name="robots" content="noindex,nofollow";
                    title { (lang.say(self.title)) " · 存根" }
                    link rel="icon" href="/static/seal.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/static/counterfoil.css";
                    @if let Some(script) = self.script { script src={ "/static/" (script) } defer {} }
                }
                body class=(class) {
                    a.skip href="#main" { (lang.say(("跳到正文", "Skip to the content"))) }
                    header.top {
                        a.brand href=(self.home()) { b { "存根" } " " (lang.say(area)) }
                        (head)
                        @if !self.places.is_empty() { (self.navigation()) }
                        (self.switch())
                    }
                    main id="main" { (body) }
                    footer {
                        @if let Some(as_of) = self.as_of {
                            p { (lang.say(("数据截至 ", "As of "))) time.as-of id="as-of" { (as_of) } (lang.say(("（北京时间）", " (China time)"))) }
                        }
                        p { (lang.say(("存根 Counterfoil · 本页不显示完整卡号", "Counterfoil 存根 · no full card number is shown here"))) }
                    }
                }
            }
        }
        .into_string()
    }

    fn home(&self) -> &str {
        self.places.first().map_or("/", |place| place.path.as_str())
    }

    fn navigation(&self) -> Markup {
        let lang = self.lang;
        html! {
            nav aria-label=(lang.say(("页面", "Pages"))) {
                @for place in self.places {
                    a href=(place.path) aria-current=[self.is_at(place).then_some("page")] {
                        (lang.say(place.name))
                        @if let Some(waiting) = place.waiting { " " b.count { (waiting) } }
                    }
                }
            }
        }
    }

    /// The longest place that this path lies below.
    fn is_at(&self, place: &Place) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        let below = |place: &Place| {
            path.strip_prefix(place.path.split('?').next().unwrap_or_default())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let longest = self
            .places
            .iter()
            .filter(|place| below(place))
            .max_by_key(|place| place.path.len());
        longest.is_some_and(|longest| longest.path == place.path)
    }

    fn switch(&self) -> Markup {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        html! {
            p.languages {
                @for lang in Lang::ALL {
                    @let name = match lang { Lang::Zh => "中", Lang::En => "EN" };
                    @if lang == self.lang {
                        b aria-current="true" lang=(lang.tag()) { (name) }
                    } @else {
                        a href={ (self.path) (joint) "lang=" (lang.tag()) } lang=(lang.tag()) hreflang=(lang.tag()) { (name) }
                    }
                }
            }
        }
    }
}
