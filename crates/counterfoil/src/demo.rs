//! The demo: the whole loop in one process on loopback, real TCP and real journals, and the stories of what can break.

mod album;
mod guards;
mod kinds;
mod lab;
mod shop;
mod stories;
mod till;
mod world;

pub use lab::Experiment;
pub use stories::{STORIES, Story};
pub use world::{Pages, Ports, World};

use crate::view::{self, SaleView};
use album::Album;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

/// How a story ended.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Ending {
    /// Its name, such as `F2`.
    pub id: &'static str,
    /// Its title.
    pub title: (String, String),
    /// What the acquirer knows at the end.
    pub sale: Option<SaleView>,
    /// Slips on paper: originals and marked copies.
    pub slips: (usize, usize),
    /// Seconds from "the hop works again and the time-out has run out" to the closed loop; none when nothing broke.
    pub heal_seconds: Option<f64>,
    /// What is not as it must be; empty when the story ended well.
    pub problems: Vec<String>,
}

/// Something did not end as it must; it was printed.
#[derive(Clone, Copy, Debug)]
struct Failed;

/// Runs every story and prints it; true when all ended as they must.
pub async fn run(world: &World, zh: bool) -> bool {
    println!("{}", intro(world, zh));
    let mut endings = Vec::new();
    let mut album = Album::open(world.data());
    for story in STORIES {
        let title = if zh { story.zh } else { story.en };
        println!("\n── {} · {title} {}", story.id, "─".repeat(40));
        println!("{}", if zh { story.tale_zh } else { story.tale_en });
        let (ending, slips) = stories::run(world, story, zh).await;
        println!("{}", told(&ending, zh));
        album = album.and_then(|mut album| album.add(&ending, &slips).map(|()| album));
        endings.push(ending);
    }
    println!("\n{}", table(&endings, zh));
    let kinds = kinds::run(world, zh).await;
    let guards = guards::run(world, zh).await;
    let pictures = album.and_then(Album::close);
    match &pictures {
        Ok(page) => println!(
            "{} {}",
            if zh {
                "小票图片："
            } else {
                "The slips as pictures:"
            },
            page.display()
        ),
        Err(problem) => println!("✕ {problem}"),
    }
    pictures.is_ok()
        && kinds.is_ok()
        && guards.is_ok()
        && endings.iter().all(|ending| ending.problems.is_empty())
}

fn intro(world: &World, zh: bool) -> String {
    let ladder = world.ladder();
    let (i, n, a, t) = (
        ladder.issuer_ms,
        ladder.network_ms,
        ladder.acquirer_ms,
        ladder.terminal_ms,
    );
    let data = world.data().display();
    if zh {
        format!(
            "存根 Counterfoil · 演示\nPOS → 前置 → 银联 → 发卡行，同一进程，真实 TCP、真实日志，全部在本机。\n\
             演示用的超时比生产短：发卡行 {i} ms，银联 {n} ms，前置 {a} ms，终端 {t} ms。\n数据目录：{data}"
        )
    } else {
        format!(
            "Counterfoil · demo\nPOS → acquirer → network → issuer in one process, real TCP, real journals, on this machine only.\n\
             The demo's time-outs are shorter than production's: issuer {i} ms, network {n} ms, acquirer {a} ms, terminal {t} ms.\nData: {data}"
        )
    }
}

fn told(ending: &Ending, zh: bool) -> String {
    let mut text = String::new();
    if let Some(sale) = &ending.sale {
        let pick = |pair: &(String, String)| if zh { pair.0.clone() } else { pair.1.clone() };
        for line in pick(&sale.picture).lines() {
            let _ = writeln!(text, "   {line}");
        }
        let mark = if ending.problems.is_empty() {
            "✓"
        } else {
            "✕"
        };
        let _ = write!(
            text,
            " {mark} {} · {} · {}",
            pick(&sale.headline),
            pick(&sale.goods),
            pick(&sale.position)
        );
    }
    for problem in &ending.problems {
        let _ = write!(text, "\n ✕ {problem}");
    }
    if std::io::stdout().is_terminal() && !ending.problems.is_empty() {
        format!("\x1b[31m{text}\x1b[0m")
    } else {
        text
    }
}

/// The closing table: story, outcome, slip, where the money is, seconds to heal.
pub fn table(endings: &[Ending], zh: bool) -> String {
    let head: [&str; 6] = if zh {
        ["", "故事", "结果", "小票", "钱在哪里", "愈合"]
    } else {
        ["", "story", "outcome", "slip", "where the money is", "heal"]
    };
    let mut rows = vec![head.map(str::to_owned)];
    for ending in endings {
        let pick = |pair: &(String, String)| if zh { pair.0.clone() } else { pair.1.clone() };
        let sale = ending.sale.as_ref();
        let slips = match ending.slips {
            (0, 0) => "–".to_owned(),
            (originals, 0) => format!("{originals}"),
            (originals, copies) => {
                format!("{originals}+{copies}{}", if zh { "补" } else { " copy" })
            }
        };
        rows.push([
            if ending.problems.is_empty() {
                "✓"
            } else {
                "✕"
            }
            .to_owned(),
            format!("{} {}", ending.id, pick(&ending.title)),
            sale.map_or_else(String::new, |s| pick(&s.headline)),
            slips,
            sale.map_or_else(String::new, |s| pick(&s.position)),
            ending
                .heal_seconds
                .map_or("–".to_owned(), |s| format!("{s:.1} s")),
        ]);
    }
    let widths: Vec<usize> = (0..6)
        .map(|c| rows.iter().map(|r| columns(&r[c])).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (n, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell}{}  ", " ".repeat(width - columns(cell)));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        if n == 0 {
            let _ = writeln!(text, "{}", "─".repeat(widths.iter().sum::<usize>() + 10));
        }
    }
    text
}

/// Columns on a terminal: Chinese takes two.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if ('\u{1100}'..).contains(&c) && !('\u{2000}'..'\u{2E80}').contains(&c) {
                2
            } else {
                1
            }
        })
        .sum()
}

/// Prints what the acquirer knows of an open loop.
fn tell_open(sale: &SaleView, zh: bool) {
    let (headline, picture) = if zh {
        (&sale.headline.0, &sale.picture.0)
    } else {
        (&sale.headline.1, &sale.picture.1)
    };
    println!(" … {headline}");
    for line in picture.lines() {
        println!("   {line}");
    }
}

/// Waits until `reached` gives something, at most `limit`.
async fn until<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    mut reached: impl FnMut() -> F,
) -> Option<T> {
    let end = tokio::time::Instant::now() + limit;
    loop {
        if let Some(value) = reached().await {
            return Some(value);
        }
        if tokio::time::Instant::now() >= end {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The sale of a till as the acquirer sees it.
async fn look(world: &World, reference: String) -> Option<SaleView> {
    let found = world.acquirer().look(move |acquirer, now| {
        view::find(acquirer.state(), &reference).map(|s| view::of(s, now.wall))
    });
    found.await.ok().flatten()
}
