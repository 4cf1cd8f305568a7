//! The plots of the console: where time goes, how near the cliff, whether today is special, what to mend first.

use super::{Asked, page};
use crate::chip::Tone;
use crate::plot::{self, Bar, Head, Limit, Point};
use maud::html;

/// What the plots show, counted from the newest sales of the archive.
#[derive(Clone, Debug, Default)]
pub struct Plots {
    /// Sales that they were counted from.
    pub n: u64,
    /// Half of the sales took no longer on each hop, in milliseconds: name, and value.
    pub hops_ms: Vec<((String, String), u64)>,
    /// Answers by latency: the name of the range in milliseconds, and how many.
    pub latency: Vec<Point>,
    /// The column that the acquirer's time-out falls before.
    pub budget_at: usize,
    /// One-sided items per 10,000 sales by hour, in tenths.
    pub one_sided: Vec<Point>,
    /// Mean of it and its upper limit of three standard deviations, in tenths.
    pub one_sided_limits: Option<(u64, u64)>,
    /// Open items by age: name and count.
    pub ageing: Vec<((String, String), u64)>,
    /// Not printed, by cause, most frequent first.
    pub unprinted: Vec<((String, String), u64)>,
    /// Time from the break to its end, by range.
    pub heal: Vec<Point>,
}

/// The page.
pub fn plots(asked: Asked<'_>, plots: &Plots) -> String {
    let lang = asked.lang;
    let n = plots.n;
    let of = |title, unit: (&str, &str), n| Head {
        title,
        unit: (unit.0.to_owned(), unit.1.to_owned()),
        n,
    };
    let counted = |rows: &[((String, String), u64)], unit: &str, tone: Tone| -> Vec<Bar> {
        rows.iter()
            .map(|(name, value)| Bar {
                name: name.clone(),
                value: *value,
                told: format!("{value}{unit}"),
                tone,
            })
            .collect()
    };
    let sum = |rows: &[((String, String), u64)]| rows.iter().map(|(_, count)| count).sum::<u64>();
    let points = |points: &[Point]| points.iter().map(|point| point.n).sum::<u64>();
    let limits: Vec<Limit> = plots
        .one_sided_limits
        .map_or_else(Vec::new, |(mean, upper)| {
            vec![
                Limit {
                    value: mean,
                    name: ("均值", "mean"),
                    tone: Tone::Quiet,
                },
                Limit {
                    value: upper,
                    name: ("上限 3σ", "limit 3σ"),
                    tone: Tone::Stop,
                },
            ]
        });
    let cliff = Limit {
        value: 0,
        name: ("前置超时", "time-out"),
        tone: Tone::Stop,
    };
    let body = html! {
        h1 { (lang.say(("图表", "Plots"))) }
        p.second { (lang.either(
            html! { "按档案中最近 n = " (n) " 笔计算，时间为北京时间。" },
            html! { "Counted from the newest n = " (n) " sales of the archive; times are China time." },
        )) }
        div.plots {
            section.card { (plot::bars(lang, &of(("各环节用时", "Where time goes"), ("中位数，毫秒", "median, ms"), n), &counted(&plots.hops_ms, " ms", Tone::Closed))) }
            section.card { (plot::columns(lang, &of(("应答用时与时限", "Latency against the budget"), ("笔数，按毫秒分段", "sales, by range of ms"), points(&plots.latency)), &plots.latency, Some((plots.budget_at, &cliff)))) }
            section.card { (plot::line(lang, &of(("单边率控制图", "One-sided rate, control chart"), ("每小时，十万分之", "each hour, per 100,000"), points(&plots.one_sided)), &plots.one_sided, &limits)) }
            section.card { (plot::bars(lang, &of(("账龄", "Ageing"), ("未了结笔数", "open items"), sum(&plots.ageing)), &counted(&plots.ageing, "", Tone::Wait))) }
            section.card { (plot::bars(lang, &of(("未出票原因", "Unprinted by cause"), ("笔数，由多到少", "sales, most frequent first"), sum(&plots.unprinted)), &counted(&plots.unprinted, "", Tone::Wait))) }
            section.card { (plot::columns(lang, &of(("了结用时", "Time to heal"), ("从断开到了结，笔数", "from break to end, sales"), points(&plots.heal)), &plots.heal, None)) }
        }
    };
    page(asked, ("图表", "Plots"), None, &body)
}
