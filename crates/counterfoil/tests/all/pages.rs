//! The pages of `docs/` that are made from the program's own tables: a stale page fails here, and
//! `UPDATE_EXPECT=1 cargo test -p counterfoil pages` rewrites it.

use expect_test::{ExpectFile, expect_file};
use iso8583::Dialect;
use iso8583::field::{ELEMENTS, Sensitivity};
use payment::evidence::{
    Confirmation, Delivery, Evidence, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use payment::kind::Rail;
use payment::kind::{BatchSide, Flow, PinRule, Posting, Reach, Row};
use payment::response::Class;
use payment::sign::{SignOutcome, SlipEvidence, Trouble};
use payment::tender::ROWS as ROWS_OF_TENDERS;
use payment::verdict::Words;
use payment::{Kind, ResponseCode, loop_picture, response, verdict};
use receipt::Language;
use receipt::doctor::{Next, ROWS, Said, Symptom};
use serde::Serialize;
use std::fmt::{Display, Write};
use std::fs;
use std::path::{Path, PathBuf};

const MADE: &str = "This page is written by a test from the program's own table. `UPDATE_EXPECT=1 cargo test -p counterfoil pages` \
     rewrites it; a stale page fails.";

#[test]
fn fields() {
    let mut page = head(
        "数据元 · Data elements",
        "One row of `iso8583::field::ELEMENTS` each, and the line of each dialect's file under `crates/iso8583/src/dialects/`: class \
         (`n` digits, `z` track, `an` and `ans` characters, `b` bytes, `h` bytes as hex), length (`12` fixed, `..19` with a two-digit \
         prefix, `...600` with a three-digit prefix) and options. \"–\": the dialect does not carry it. How a value is shown \
         follows from its sensitivity, everywhere, and from nothing else.",
    );
    page += "| | 中文 | English | shown | terminal | host | ascii87 |\n|---:|---|---|---|---|---|---|\n";
    let dialects = [
        include_str!("../../../iso8583/src/dialects/terminal.txt"),
        include_str!("../../../iso8583/src/dialects/host.txt"),
        include_str!("../../../iso8583/src/dialects/ascii87.txt"),
    ];
    for (text, dialect) in dialects.iter().zip(Dialect::all()) {
        assert!(
            text.contains(&format!("\nname {}\n", dialect.name())),
            "{}",
            dialect.name()
        );
    }
    for element in ELEMENTS {
        let [terminal, host, ascii] = dialects.map(|text| carried(text, element.number));
        let shown = shown(element.sensitivity);
        line(
            &mut page,
            format_args!(
                "| {} | {} | {} | {shown} | {terminal} | {host} | {ascii} |",
                element.number, element.zh, element.en
            ),
        );
    }
    same(&page, expect_file!["../../../../docs/fields.md"]);
}

/// What the line of a dialect says of an element.
fn carried(dialect: &str, number: u8) -> String {
    let line = dialect.lines().find_map(|line| {
        line.split_once(' ')
            .filter(|(first, _)| *first == number.to_string())
    });
    line.map_or_else(|| "–".to_owned(), |(_, rest)| format!("`{rest}`"))
}

const fn shown(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Public => "as it is",
        Sensitivity::Pan => "first six, last four",
        Sensitivity::Track => "card number masked, rest never",
        Sensitivity::Expiry | Sensitivity::Pin => "never",
        Sensitivity::Key => "never: may hold keys",
        Sensitivity::CardData => "by its tags",
        Sensitivity::Private => "length only, unless its layout is known",
    }
}

#[test]
fn tenders() {
    let mut page = head(
        "付款方式 · Tenders",
        "One row of `payment::tender::ROWS` each: what is read from a card, a payment code or the keyboard, known by its first digits \
         and its length. The longest prefix that fits decides; what fits no row is asked for.",
    );
    page += "| first digits | digits | 中文 | English |\n|---|---|---|---|\n";
    for row in ROWS_OF_TENDERS {
        let range = |(from, to): (&str, &str)| match from == to {
            true => from.to_owned(),
            false => format!("{from}–{to}"),
        };
        let digits = range((&row.digits.0.to_string(), &row.digits.1.to_string()));
        let (zh, en) = row.tender.words();
        line(
            &mut page,
            format_args!("| {} | {digits} | {zh} | {en} |", range(row.prefixes)),
        );
    }
    let (zh, en) = payment::Tender::Cash.words();
    line(
        &mut page,
        format_args!(
            "| {} | | {zh} | {en} |",
            payment::tender::CASH_WORDS
                .map(|word| format!("`{word}`"))
                .join(", ")
        ),
    );
    same(&page, expect_file!["../../../../docs/tenders.md"]);
}

#[test]
fn kinds() {
    let mut page = head(
        "交易种类 · Transaction kinds",
        "One row of `payment::Kind::ALL` each; a kind is one file under `crates/payment/src/kind/`. \"f3\" is the processing code at \
         the terminal interface and between hosts, \"60.1\" and \"60.3\" the transaction type and the network management code.",
    );
    page += "| 中文 | English | MTI | f3 terminal | f3 host | f25 | 60.1 | 60.3 | MAC |\n|---|---|---|---|---|---|---|---|---|\n";
    for kind in Kind::ALL {
        let row = kind.row();
        line(
            &mut page,
            format_args!(
                "| {} | {} | {:04X} | {} | {} | {} | {:02} | {:03} | {} |",
                row.zh,
                row.en,
                row.mti.0,
                digits(row.processing, 6),
                digits(row.processing_host, 6),
                digits(row.condition, 2),
                row.transaction_type,
                row.network_code,
                yes(row.mac),
            ),
        );
    }
    page += "\nWhat an approval does, and what takes it back. \"original\" is the earlier transaction that a kind must name: of the same terminal \
             and its open batch, or of any terminal of the merchant and of any day. \"totals\" is the side of a batch on which it counts.\n\n";
    page += "| kind | flow | silence | posting | PIN | original | void | refund | totals |\n|---|---|---|---|---|---|---|---|---|\n";
    for kind in Kind::ALL {
        let row = kind.row();
        let name = |kind: Option<Kind>| kind.map_or("–", |kind| kind.row().en);
        line(
            &mut page,
            format_args!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.en,
                flow(row.flow),
                silence(row),
                posting(row),
                pin(row.pin),
                original(row),
                name(row.void),
                name(row.refund),
                totals(row.totals),
            ),
        );
    }
    page += "\n";
    for kind in Kind::ALL {
        let row = kind.row();
        line(
            &mut page,
            format_args!("* **{} {}**: {}", row.zh, row.en, row.about),
        );
    }
    same(&page, expect_file!["../../../../docs/kinds.md"]);
}

fn flow(flow: Flow) -> String {
    match flow {
        Flow::Download(download, step) => {
            format!("download: {}, {step:?}", download.words().1).to_lowercase()
        }
        flow => format!("{flow:?}").to_lowercase(),
    }
}

const fn silence(row: &Row) -> &'static str {
    if row.reversible() {
        "asked, then reversed"
    } else if row.is_advice() {
        "sent again until answered"
    } else {
        "–"
    }
}

/// The postings at the issuer, and between merchant and network at the acquirer.
fn posting(row: &Row) -> &'static str {
    match row.posting {
        Posting::Capture if row.unit == payment::BARTER_UNIT => "hold released, buyer → seller",
        Posting::None => "–",
        Posting::Debit => "cardholder → suspense; network → merchant",
        Posting::Credit => "suspense → cardholder; merchant → network, a part",
        Posting::Undo => "suspense → cardholder; merchant → network, the whole",
        Posting::Hold => "held on the card",
        Posting::HoldMore => "held on top",
        Posting::Release => "every hold released",
        Posting::Capture => "holds released, cardholder → suspense; network → merchant",
        Posting::Uncapture => "suspense → cardholder, held again; merchant → network",
        Posting::Adjust => "the difference, either way",
        Posting::Move => "cardholder → receiver",
        Posting::MoveOut => "cardholder → suspense",
        Posting::MoveIn => "suspense → receiver",
    }
}

const fn pin(rule: PinRule) -> &'static str {
    match rule {
        PinRule::Always => "always",
        PinRule::AboveLimit => "above the limit",
        PinRule::Never => "–",
    }
}

fn original(row: &Row) -> String {
    let Some(rule) = row.original else {
        return "–".to_owned();
    };
    let kinds: Vec<&str> = row.kind.originals().map(|kind| kind.row().en).collect();
    let reach = match rule.reach {
        Reach::SameBatch => "same batch",
        Reach::SameMerchant => "same merchant",
    };
    format!("{} ({reach})", kinds.join(", "))
}

const fn totals(side: BatchSide) -> &'static str {
    match side {
        BatchSide::Neither => "–",
        BatchSide::Debit => "debit",
        BatchSide::Credit => "credit",
        BatchSide::Adjust => "its original's",
    }
}

#[test]
fn response_codes() {
    let mut page = head(
        "应答码 · Response codes (field 39)",
        "One row of `payment::response::ROWS` each. Class: A success; B not successful, may be tried again after a correction; \
         C not successful, the same card is not tried again; D a person acts; E fault of a system. \"Safe\": the code proves that \
         nothing was debited, another payment cannot charge twice. \"Reverse\": a debit is possible, a reversal must run. \
         The operator reads the meaning with the code.",
    );
    page += "| | class | safe | reverse | keep card | 含义 meaning | 收银员 cashier | 持卡人 cardholder | 商户 merchant |\n|---|---|---|---|---|---|---|---|---|\n";
    for row in response::ROWS {
        let class = match row.class {
            Class::A => "A",
            Class::B => "B",
            Class::C => "C",
            Class::D => "D",
            Class::E => "E",
        };
        line(
            &mut page,
            format_args!(
                "| `{}` | {class} | {} | {} | {} | {} | {} | {} | {} |",
                row.code,
                yes(row.retry_safe),
                yes(row.reverse),
                yes(row.capture),
                both((row.zh, row.en)),
                both(row.cashier),
                both(row.cardholder),
                both(row.merchant),
            ),
        );
    }
    same(&page, expect_file!["../../../../docs/response-codes.md"]);
}

#[test]
fn verdicts() {
    let mut page = head(
        "结论 · Verdicts",
        "One row of `payment::verdict::ROWS` each. The headline is the same for everybody; each audience has its own second line. \
         `{kind}` is the kind's own name; `{reason}`, `{trouble}`, `{case}` and `{attempts}` are filled in from the evidence. The same \
         evidence selects a row of the kind's own family: `sale`, `return`, `hold`, `release` or `inquiry`. The outcome of the payment and the state of \
         the receipt are two facts and never mixed.",
    );
    page += "| row | family | headline | outcome | money | goods | next step |\n|---|---|---|---|---|---|---|\n";
    for row in verdict::ROWS {
        line(
            &mut page,
            format_args!(
                "| [`{}`](#{}) | {} | {} | `{}` | {} | {} | {} |",
                row.id,
                row.id,
                families(row),
                both(row.headline),
                name(&row.outcome),
                both(row.position.words()),
                both(row.goods.words()),
                both(row.owner.words()),
            ),
        );
    }
    for row in verdict::ROWS {
        line(&mut page, format_args!("\n## {}\n", row.id));
        line(
            &mut page,
            format_args!("**{}** · **{}**\n", row.headline.0, row.headline.1),
        );
        page += "| | 中文 | English |\n|---|---|---|\n";
        for (audience, words) in [
            ("收银员 cashier", row.cashier),
            ("商户 merchant", row.merchant),
            ("持卡人 cardholder", row.cardholder),
            ("运营 operator", row.operator),
        ] {
            line(
                &mut page,
                format_args!("| {audience} | {} | {} |", words.0, words.1),
            );
        }
    }
    same(&page, expect_file!["../../../../docs/verdicts.md"]);
}

#[test]
fn limits() {
    let mut page = head(
        "限额与时限 · Limits",
        "Every public maximum, minimum and time of the sources, with its own comment: what is beyond a limit is a decline or a closed \
         link, never growth. Values are as the source writes them; the unit is the end of the name.",
    );
    page += "| crate | name | value | meaning |\n|---|---|---|---|\n";
    let mut count = 0;
    for (krate, path) in sources() {
        let text = fs::read_to_string(&path).expect("a source is read");
        for limit in limits_of(&text, path.ends_with("limits.rs")) {
            let (name, value, meaning) = limit;
            line(
                &mut page,
                format_args!("| `{krate}` | `{name}` | `{value}` | {meaning} |"),
            );
            count += 1;
        }
    }
    assert!(
        count > 40,
        "only {count} limits: the sources were not found"
    );
    same(&page, expect_file!["../../../../docs/limits.md"]);
}

/// Name, value and comment of every public limit in a source.
fn limits_of(text: &str, all: bool) -> Vec<(String, String, String)> {
    let (mut found, mut comment) = (Vec::new(), Vec::new());
    for source in text.lines().map(str::trim) {
        if let Some(words) = source.strip_prefix("///") {
            comment.push(words.trim().to_owned());
            continue;
        }
        let constant = source
            .strip_prefix("pub const ")
            .and_then(|rest| rest.split_once(": "));
        if let Some((name, rest)) = constant
            && let Some((kind, value)) = rest.split_once(" = ")
            && matches!(kind, "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64")
            && (all || is_limit(name))
        {
            // The first paragraph of the comment says what it is; links of the documentation are plain words here.
            let words: Vec<_> = comment
                .iter()
                .take_while(|words| !words.is_empty())
                .map(String::as_str)
                .collect();
            let meaning = words.join(" ").replace("[`", "`").replace("`]", "`");
            found.push((
                name.to_owned(),
                value.trim_end_matches(';').to_owned(),
                meaning,
            ));
        }
        comment.clear();
    }
    found
}

fn is_limit(name: &str) -> bool {
    name.contains("MAX")
        || ["_MIN", "_MS", "_US", "_S", "_KEPT", "_PAGES", "_RECORDS"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// The sources of all crates with the crate's name, in order.
fn sources() -> Vec<(String, PathBuf)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("crates/");
    let mut found = Vec::new();
    for krate in sorted(crates) {
        let name = krate
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name == "sim" {
            continue; // Its numbers are a workload, no limits.
        }
        let mut folders = vec![krate.join("src")];
        while let Some(folder) = folders.pop() {
            for path in sorted(&folder) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    found.push((name.clone(), path));
                }
            }
        }
    }
    found.sort();
    found
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[test]
fn commands() {
    let page = head("命令 · Commands", "What `--help` prints, of every command.")
        + &counterfoil::command::help();
    same(&page, expect_file!["../../../../docs/cli.md"]);
}

#[test]
fn life_of_a_purchase() {
    same(
        &sim::life_of_a_purchase(),
        expect_file!["../../../../docs/life-of-a-purchase.md"],
    );
}

#[test]
fn pictures() {
    let slip = |level, trouble| {
        Confirmation::Signed(SignOutcome::Approved, SlipEvidence::paper(level, trouble))
    };
    let reversal = |progress| Reversal {
        cause: ReversalCause::Upstream,
        progress,
        attempts: 1,
    };
    let paid = Evidence {
        delivery: Delivery::Sent,
        confirmation: slip(4, Trouble::None),
        ..Evidence::new(Upstream::Approved)
    };
    let f2 = Evidence {
        delivery: Delivery::Sent,
        reversal: Some(reversal(ReversalProgress::Open)),
        ..Evidence::new(Upstream::NetworkGaveUp)
    };
    let f2_healed = Evidence {
        confirmation: Confirmation::Signed(
            SignOutcome::Reversed,
            SlipEvidence::paper(0, Trouble::None),
        ),
        reversal: Some(reversal(ReversalProgress::Confirmed(
            ResponseCode::APPROVED,
        ))),
        ..f2
    };
    let f4 = Evidence {
        delivery: Delivery::HungUp,
        ..Evidence::new(Upstream::Approved)
    };
    let f7a = Evidence {
        confirmation: slip(0, Trouble::PaperOut),
        ..paid
    };
    // A picture has the row that the same evidence selects: what is drawn and what is said cannot part.
    for (evidence, row, zh, en) in [
        (
            paid,
            "paid",
            expect_file!["../../../../docs/pictures/loop-paid-zh.svg"],
            expect_file!["../../../../docs/pictures/loop-paid-en.svg"],
        ),
        (
            f2,
            "reversing_network_gave_up",
            expect_file!["../../../../docs/pictures/loop-f2-open-zh.svg"],
            expect_file!["../../../../docs/pictures/loop-f2-open-en.svg"],
        ),
        (
            f2_healed,
            "reversed",
            expect_file!["../../../../docs/pictures/loop-f2-healed-zh.svg"],
            expect_file!["../../../../docs/pictures/loop-f2-healed-en.svg"],
        ),
        (
            f4,
            "approved_undelivered",
            expect_file!["../../../../docs/pictures/loop-f4-open-zh.svg"],
            expect_file!["../../../../docs/pictures/loop-f4-open-en.svg"],
        ),
        (
            f7a,
            "paid_not_printed",
            expect_file!["../../../../docs/pictures/loop-f7a-open-zh.svg"],
            expect_file!["../../../../docs/pictures/loop-f7a-open-en.svg"],
        ),
    ] {
        assert_eq!(verdict::verdict(Kind::Purchase, &evidence).row, row);
        same(&loop_picture::svg(Rail::Card, &evidence.beads(), true), zh);
        same(&loop_picture::svg(Rail::Card, &evidence.beads(), false), en);
    }
}

/// README and the printing pages show these; they are dots, the same that a printer without a Chinese font gets.
#[test]
fn slip_pictures() {
    use receipt::{CopyOf, Language, Paper, Reprint, Title, lay_out};
    let purchase = counterfoil::bench::slips::purchase();
    let reversed = receipt::SlipFields {
        title: Title::ReversalProof,
        headline: verdict::headline(Kind::Purchase, verdict::Situation::Reversed),
        ..purchase.clone()
    };
    let reprint = Some(Reprint {
        count: 1,
        original_time: purchase.date_time.clone(),
    });
    let (holder, shop) = (CopyOf::Cardholder, CopyOf::Merchant);
    let drawn = [
        (
            "slip-purchase-zh.png",
            &purchase,
            holder,
            Language::Zh,
            None,
        ),
        ("slip-purchase-en.png", &purchase, shop, Language::En, None),
        (
            "slip-purchase-both.png",
            &purchase,
            shop,
            Language::Both,
            reprint,
        ),
        (
            "slip-reversed-zh.png",
            &reversed,
            holder,
            Language::Zh,
            None,
        ),
    ];
    for (file, fields, copy, language, reprint) in drawn {
        let slip = lay_out(fields, copy, language, Paper::Mm58, reprint);
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/pictures")
            .join(file);
        let png = slip.png().expect("every character has a glyph");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &png).expect("it is written");
        }
        let kept = fs::read(&path).unwrap_or_default();
        assert!(
            kept == png,
            "{file} is old: UPDATE_EXPECT=1 cargo test -p counterfoil --test all pages"
        );
    }
}

#[test]
fn printing_doctor() {
    let mut page = head(
        "打印医生 · The printing doctor",
        "One row of `receipt::doctor::ROWS` each, in the order of suspicion. `counterfoil doctor --printer ADDRESS` and the till's \
         `doctor` look before they ask, say one thing at a time, and believe a repair only when its test was passed and a person has \
         read the code on a test page. 打印机与收款无关：任何一步都不改变交易结果。 No step changes the outcome of a sale.",
    );
    doctor_in(&mut page, Language::Zh);
    doctor_in(&mut page, Language::En);
    same(&page, expect_file!["../../../../docs/printing-doctor.md"]);
}

fn doctor_in(page: &mut String, language: Language) {
    let say = |(zh, en): Said| match language {
        Language::Zh | Language::Both => zh,
        Language::En => en,
    };
    let heads = [
        ("故障", "fault"),
        ("机器看到", "what the machine sees"),
        ("问人", "what a person is asked"),
        ("与相邻故障的区别", "what tells it apart"),
        ("做法", "instruction"),
        ("收尾测试", "closing test"),
        ("若不成", "if that fails"),
        ("建议带件", "parts"),
        ("来源", "source"),
    ];
    line(page, format_args!("## {}\n", say(("中文", "English"))));
    line(
        page,
        format_args!(
            "| id | {} |\n|---{}|",
            heads.map(say).join(" | "),
            "|---".repeat(heads.len())
        ),
    );
    for row in ROWS {
        let asks: Vec<_> = row.asks.iter().map(|q| say(q.row().words)).collect();
        let parts: Vec<_> = row.parts.iter().map(|part| say(part.words())).collect();
        let mut fails: Vec<_> = row
            .swap
            .iter()
            .map(|swap| say(swap.words()).to_owned())
            .collect();
        fails.push(match row.otherwise {
            Next::Row(fault) => format!("→ `{}`", fault.row().id),
            Next::TestPage => say(("→ 测试页", "→ test page")).to_owned(),
            Next::Ticket => say(("→ 报修", "→ service ticket")).to_owned(),
        });
        let cells = [
            say(row.name).to_owned(),
            say(row.machine).to_owned(),
            asks.join("<br>"),
            say(row.apart).to_owned(),
            say(row.instruction).to_owned(),
            say(row.test.words()).to_owned(),
            fails.join("<br>"),
            parts.join(say(("、", ", "))),
            row.source.to_owned(),
        ];
        line(
            page,
            format_args!("| `{}` | {} |", row.id, cells.join(" | ")),
        );
    }
    let looks: Vec<_> = Symptom::ALL
        .iter()
        .map(|symptom| format!("{} (`{}`)", say(symptom.words()), symptom.id()))
        .collect();
    line(
        page,
        format_args!(
            "\n{} {}\n\n{}\n",
            say((
                "纸上的样子（`--symptom`）：",
                "What paper looks like (`--symptom`):"
            )),
            looks.join(say(("、", ", "))),
            say((
                "指示灯：电源灯灭是没有通电；电源灯亮、工作灯灭是脱机；工作灯闪是出错，由状态位说明。",
                "Lamps: power off, no power; power on and ready off, offline; ready blinking, an error, told by the status bits.",
            )),
        ),
    );
}

#[test]
fn readme_shows_what_the_program_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (file, zh) in [("README.md", false), ("README.zh-CN.md", true)] {
        let text = fs::read_to_string(root.join(file)).expect("a README");
        let evidence = Evidence {
            delivery: Delivery::Sent,
            reversal: Some(Reversal {
                cause: ReversalCause::Upstream,
                progress: ReversalProgress::Open,
                attempts: 1,
            }),
            ..Evidence::new(Upstream::NetworkGaveUp)
        };
        let verdict = verdict::verdict(Kind::Purchase, &evidence);
        let headline = if zh {
            verdict.headline_zh
        } else {
            verdict.headline_en
        };
        assert!(text.contains(&headline), "{file}: {headline}");
        for drawn in loop_picture::text(Rail::Card, &verdict.beads, zh).lines() {
            assert!(text.contains(drawn.trim_end()), "{file}: {drawn}");
        }
    }
}

fn families(row: &verdict::Row) -> String {
    let names: Vec<_> = row.families.iter().map(name).collect();
    names.join(", ")
}

fn head(title: &str, about: &str) -> String {
    format!("# {title}\n\n{about}\n\n{MADE}\n\n")
}

fn line(page: &mut String, text: impl Display) {
    writeln!(page, "{text}").expect("a string");
}

fn both((zh, en): Words) -> String {
    format!("{zh}<br>{en}")
}

const fn yes(is: bool) -> &'static str {
    if is { "✓" } else { "" }
}

fn digits(value: Option<impl Display>, width: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:0>width$}"))
}

fn name<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).expect("a name");
    value.as_str().expect("a name").to_owned()
}

#[track_caller]
fn same(page: &str, expected: ExpectFile) {
    expected.assert_eq(page);
}
