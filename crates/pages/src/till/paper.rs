//! The printer's trouble in five pictures, and the way to the doctor.

use super::{Door, Said, TillView};
use crate::language::{Lang, drawn};
use maud::{Markup, html};

/// What may be wrong, as a cashier sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// 缺纸.
    NoPaper,
    /// 卡纸.
    Jam,
    /// 空白.
    Blank,
    /// 脱机.
    Offline,
    /// 已被关闭.
    Off,
}

impl Picture {
    /// Every one, in the order of the strip.
    pub const ALL: [Self; 5] = [
        Self::NoPaper,
        Self::Jam,
        Self::Blank,
        Self::Offline,
        Self::Off,
    ];

    /// Its words.
    pub const fn words(self) -> crate::Words {
        match self {
            Self::NoPaper => ("缺纸", "No paper"),
            Self::Jam => ("卡纸", "Jam"),
            Self::Blank => ("空白", "Blank"),
            Self::Offline => ("脱机", "Offline"),
            Self::Off => ("已被关闭", "Switched off"),
        }
    }

    /// Its name in a form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPaper => "no-paper",
            Self::Jam => "jam",
            Self::Blank => "blank",
            Self::Offline => "offline",
            Self::Off => "off",
        }
    }

    /// What is drawn into the printer of 64 × 48.
    const fn drawing(self) -> &'static str {
        match self {
            Self::NoPaper => {
                r#"<circle cx="32" cy="13" r="7" stroke-dasharray="3 3"/><path d="M24 40h16" stroke-dasharray="3 3"/>"#
            }
            Self::Jam => {
                r#"<path d="M24 22c4-6 6 4 9-2s5 4 8-1"/><path d="M24 40l5-5 4 5 4-5 4 5"/>"#
            }
            Self::Blank => r#"<path d="M23 34v12l3-2 3 2 3-2 3 2 3-2 3 2v-12"/>"#,
            Self::Offline => r#"<path d="M54 28h4v-16"/><path d="M50 6l10 10m0-10l-10 10"/>"#,
            Self::Off => r#"<circle cx="32" cy="12" r="7"/><path d="M32 2v9"/>"#,
        }
    }

    fn svg(self) -> Markup {
        drawn(format!(
            r#"<svg viewBox="0 0 64 48" width="64" height="48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"><rect x="12" y="22" width="40" height="16" rx="3"/><path d="M18 34h28"/>{}</svg>"#,
            self.drawing()
        ))
    }
}

/// The printer's trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperView {
    /// Which picture fits, when one does.
    pub picture: Option<Picture>,
    /// What it is and what to do.
    pub words: Said,
    /// Slips that wait.
    pub waiting: usize,
}

pub(super) fn strip(lang: Lang, view: &TillView, door: &Door) -> Markup {
    let Some(paper) = &view.paper else {
        return html! {};
    };
    html! {
        section.card.trouble {
            h2 { (lang.say(("打印机", "Printer"))) }
            p { b { (lang.pick(&paper.words)) } }
            p.second {
                (lang.either(
                    html! { "等待打印 " (paper.waiting) " 张；款项不受影响，不要重新收款。" },
                    html! { (paper.waiting) " slip(s) wait. The money is not affected: do not charge again." },
                ))
            }
            form.pictures method="post" action="/doctor" {
                (door.fields())
                @for picture in Picture::ALL {
                    button name="symptom" value=(picture.name()) aria-pressed=(paper.picture == Some(picture)) {
                        (picture.svg()) span { (lang.say(picture.words())) }
                    }
                }
            }
        }
    }
}
