//! The two languages of every page, zh-CN first.

use maud::{Markup, PreEscaped, Render};

/// Words in zh-CN and en.
pub type Words = (&'static str, &'static str);

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Lang {
    /// zh-CN.
    #[default]
    #[serde(rename = "zh-CN")]
    Zh,
    /// en.
    #[serde(rename = "en")]
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// Its tag (BCP 47), also in `?lang=` and in the cookie `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of a tag, of a cookie or of an `Accept-Language` header: the first of ours that it names.
    pub fn of(tags: &str) -> Option<Self> {
        tags.split(',').find_map(|tag| {
            let tag = tag.split(';').next().unwrap_or_default().trim();
            match tag.get(..2)? {
                "zh" => Some(Self::Zh),
                "en" => Some(Self::En),
                _ => None,
            }
        })
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// The words in this language.
    pub const fn say(self, (zh, en): Words) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The same of words that were made.
    pub fn pick(self, words: &(String, String)) -> &str {
        match self {
            Self::Zh => &words.0,
            Self::En => &words.1,
        }
    }

    /// An amount that was told in zh-CN, in this language: the unit that is no money has a word in each.
    pub fn amount(self, told: &str) -> String {
        payment::money::in_language(told.to_owned(), self == Self::Zh)
    }

    /// The one of two that speaks this language: for sentences with values in them.
    pub fn either(self, zh: impl Render, en: impl Render) -> Markup {
        match self {
            Self::Zh => zh.render(),
            Self::En => en.render(),
        }
    }
}

/// A picture that is already SVG, drawn by this workspace.
pub(crate) const fn drawn(svg: String) -> PreEscaped<String> {
    PreEscaped(svg)
}
