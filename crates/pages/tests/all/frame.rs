//! The frame: language switch, places, age, and text that stays text.

use pages::{Area, Frame, Lang, Place, html};

fn frame(lang: Lang) -> String {
    let places = [
        Place {
            path: "/console".into(),
            name: ("实时", "Live"),
            waiting: None,
        },
        Place {
            path: "/console/one-sided".into(),
            name: ("单边账", "One-sided"),
            waiting: Some(3),
        },
    ];
    let frame = Frame {
        lang,
        area: Area::Console,
        title: ("单边账", "One-sided"),
        path: "/console/one-sided?age=1",
        places: &places,
        script: Some("live.js"),
        as_of: Some("2026-11-22 14:03:05"),
    };
    frame.page(&html! {}, &html! { p { "<script>alert(1)</script>" } })
}

#[test]
fn one_place_is_current_and_the_other_language_is_one_tap_away() {
    let zh = frame(Lang::Zh);
    assert_eq!(zh.matches(r#"aria-current="page""#).count(), 1);
    assert!(zh.contains(
        r#"<a href="/console/one-sided" aria-current="page">单边账 <b class="count">3</b></a>"#
    ));
    assert!(zh.contains(r#"href="/console/one-sided?age=1&amp;lang=en""#));
    assert!(zh.contains("2026-11-22 14:03:05"));
    assert!(frame(Lang::En).contains("One-sided"));
}

#[test]
fn what_comes_from_outside_is_text() {
    assert!(!frame(Lang::Zh).contains("<script>alert"));
}

#[test]
fn a_header_names_the_first_language_that_is_ours() {
    let rows = [
        ("en-GB,en;q=0.9", Some(Lang::En)),
        ("zh-CN", Some(Lang::Zh)),
        ("fr, zh;q=0.3", Some(Lang::Zh)),
        ("fr", None),
        ("", None),
        ("中", None),
    ];
    for (header, lang) in rows {
        assert_eq!(Lang::of(header), lang, "{header}");
    }
}
