//! The printing doctor as a page: one step at a time, each with the answers that it takes.

use super::{Door, side_page};
use crate::language::Lang;
use maud::{Markup, html};
use receipt::doctor::View;

/// The open step or the end, and the service ticket when it came to one.
pub fn page(lang: Lang, view: &View, ticket: Option<&str>, door: &Door) -> String {
    let body = html! {
        section.card.doctor data-reload=[waits(view).then_some("1500")] {
            @if let Some(money) = &view.money { p.notice.quiet { (money) } }
            p.second { (lang.say(("打印医生 · 第", "Printing doctor · step"))) " " (view.number) (lang.say((" 步", ""))) }
            @if let Some(name) = view.name.as_ref().filter(|_| matches!(view.kind.as_str(), "do" | "swap")) { h2 { (name) } }
            h1 aria-live="polite" { (view.text) }
            (answers(lang, view, door))
            @if let Some(ticket) = ticket { pre.ticket { (ticket) } }
        }
        script src="/static/till.js" defer {}
    };
    side_page(
        lang,
        ("打印医生", "Printing doctor"),
        "/doctor",
        None,
        &body,
    )
}

/// Nobody has to do anything: the page looks again by itself.
fn waits(view: &View) -> bool {
    matches!(view.kind.as_str(), "look" | "print")
}

fn answers(lang: Lang, view: &View, door: &Door) -> Markup {
    let answer = |value: &str, words, class: &str| {
        html! { button class=(class) name="answer" value=(value) { (lang.say(words)) } }
    };
    let over = matches!(view.kind.as_str(), "healthy" | "fixed" | "ticket" | "stop");
    html! {
        form.answers method="post" action="/doctor" {
            (door.fields())
            @match view.kind.as_str() {
                "ask" if !view.choices.is_empty() => {
                    @for (id, words) in &view.choices { button name="answer" value=(id) { (words) } }
                }
                "ask" => { (answer("yes", ("是", "Yes"), "main")) (answer("no", ("否", "No"), "")) }
                "do" => { (answer("yes", ("做好了", "Done"), "main")) (answer("no", ("做不到", "Cannot"), "")) }
                "swap" => { (answer("yes", ("已换上", "In place"), "main")) (answer("no", ("没有备件", "None here"), "")) }
                "read-code" => {
                    label for="digits" { (lang.say(("测试页上的四位数字", "The four digits on the test page"))) }
                    input id="digits" name="digits" inputmode="numeric" maxlength="4" autofocus;
                    (answer("digits", ("看得清，就是这个", "Readable: these"), "main"))
                    (answer("no", ("看不清或没有", "Unreadable or no page"), ""))
                }
                _ => {}
            }
            @if waits(view) { (answer("look", ("再看一次", "Look again"), "main")) }
            @if !over {
                (answer("stop", ("有水或冒烟，立即停止", "Water or smoke: stop"), ""))
                (answer("quit", ("报修", "Call service"), ""))
            }
        }
        @if over { a.button.main href="/" { (lang.say(("回收银台", "Back to the till"))) } }
    }
}
