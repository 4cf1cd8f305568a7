//! The printing doctor: every row is reached, closed by its test and told apart; every dialogue ends.

use proptest::prelude::*;
use receipt::doctor::{
    COOL_WAIT_US, Fault, Next, Outcome, PAGE_WAIT_US, Printer, QUESTIONS, Question, Queue, ROWS,
    Reach, Reply, STEPS_MAX, Sight, Step, SwitchedOff, Symptom, TEST_PAGES_MAX, Test, code_text,
    test_page,
};
use receipt::{
    CopyOf, Doctor, DoctorEffect, DoctorInput, Evidence, JobState, Language, Paper, Status,
    Trouble, lay_out,
};

/// A dialogue with somebody, and its clock.
#[derive(Default)]
struct Talk {
    now_us: u64,
    doctor: Doctor,
    effects: Vec<DoctorEffect>,
}

impl Talk {
    fn about(symptom: Option<Symptom>) -> Talk {
        let mut talk = Talk::default();
        talk.input(DoctorInput::Began {
            sale_open: true,
            symptom,
        });
        assert_eq!(talk.effects, [DoctorEffect::Show, DoctorEffect::Look]);
        talk
    }

    fn input(&mut self, input: DoctorInput) {
        self.now_us += 1_000;
        let (records, effects) = self.doctor.decide(self.now_us, input);
        for record in &records {
            if let receipt::DoctorRecord::Stepped { step, .. } = record {
                let before = self.doctor.step();
                assert!(before != Some(*step), "{step:?} twice in a row");
            }
            self.doctor.apply(record);
        }
        assert!(self.doctor.taken().len() <= STEPS_MAX);
        self.effects = effects;
    }

    fn saw(&mut self, sight: &Sight) {
        self.input(DoctorInput::Saw(sight.clone()));
    }

    fn reply(&mut self, reply: Reply) {
        self.input(DoctorInput::Replied(reply));
    }

    fn printed(&mut self) {
        assert_eq!(self.doctor.step(), Some(Step::Print));
        self.input(DoctorInput::Printed {
            code: 42,
            evidence: Evidence::Printed,
        });
    }

    /// The test page is printed and its code read.
    fn prove(&mut self) {
        self.printed();
        self.reply(Reply::Code(42));
    }

    fn is_at(&self, step: Step) -> bool {
        self.doctor.step() == Some(step)
    }
}

fn well() -> Sight {
    Sight::default()
}

fn told(trouble: Trouble) -> Sight {
    Sight {
        status: Status {
            trouble: Some(trouble),
            paper_low: false,
        },
        ..well()
    }
}

fn reached(reach: Reach) -> Sight {
    Sight { reach, ..well() }
}

/// What is seen first, what was complained of, and the answers on the way to the row.
struct Way {
    fault: Fault,
    sight: Sight,
    symptom: Option<Symptom>,
    replies: &'static [Reply],
}

fn ways() -> Vec<Way> {
    use Reply::{No, Yes};
    let seen = |fault, sight, replies| Way {
        fault,
        sight,
        symptom: None,
        replies,
    };
    let complained = |fault, symptom| Way {
        fault,
        sight: well(),
        symptom: Some(symptom),
        replies: &[],
    };
    let off = SwitchedOff {
        by: "02".into(),
        since: "2026-11-20".into(),
    };
    vec![
        seen(
            Fault::PrintingOff,
            Sight {
                off: Some(off),
                ..well()
            },
            &[],
        ),
        seen(
            Fault::WindowsOffline,
            Sight {
                queue: Queue::WorkOffline,
                ..well()
            },
            &[],
        ),
        complained(Fault::WindowsOffline, Symptom::Offline),
        seen(
            Fault::WindowsStatus,
            Sight {
                queue: Queue::PortOffline,
                ..well()
            },
            &[],
        ),
        seen(
            Fault::ResultPending,
            Sight {
                result_pending: true,
                ..well()
            },
            &[],
        ),
        seen(
            Fault::SoftwareOld,
            Sight {
                template_missing: true,
                ..well()
            },
            &[],
        ),
        complained(Fault::SoftwareOld, Symptom::SomeSales),
        seen(Fault::WrongDevice, reached(Reach::Foreign), &[]),
        seen(
            Fault::WrongDevice,
            Sight {
                device_differs: true,
                ..well()
            },
            &[],
        ),
        complained(Fault::WrongDevice, Symptom::Nothing),
        seen(Fault::WrongPort, reached(Reach::Refused), &[]),
        seen(Fault::HeldElsewhere, reached(Reach::Silent), &[Yes]),
        seen(Fault::DataCable, reached(Reach::Silent), &[No]),
        seen(
            Fault::DataCable,
            Sight {
                heard_s: Some(3),
                ..reached(Reach::Silent)
            },
            &[],
        ),
        seen(Fault::PowerOff, reached(Reach::Down), &[No, No]),
        seen(Fault::PowerOff, told(Trouble::PowerLost), &[No]),
        seen(Fault::DataCable, reached(Reach::Down), &[No, Yes, Yes]),
        seen(Fault::NotReady, reached(Reach::Down), &[No, Yes, No]),
        seen(Fault::NotReady, told(Trouble::Offline), &[]),
        seen(Fault::CoverOpen, told(Trouble::CoverOpen), &[]),
        seen(Fault::PaperOut, told(Trouble::PaperOut), &[]),
        seen(Fault::Unrecoverable, told(Trouble::Fault), &[No]),
        seen(Fault::CutterStuck, told(Trouble::Cutter), &[]),
        seen(Fault::PaperJam, told(Trouble::Jam), &[]),
        seen(Fault::HeadHot, told(Trouble::HeadHot), &[No]),
        seen(Fault::SupplyVoltage, told(Trouble::Voltage), &[No]),
        seen(Fault::WrongDevice, told(Trouble::Misconfigured), &[]),
        seen(Fault::HeldElsewhere, told(Trouble::BusyElsewhere), &[Yes]),
        seen(Fault::BufferFull, told(Trouble::Stalled), &[]),
        seen(
            Fault::BlankSlip,
            Sight {
                last_print: Some((JobState::Failed(Trouble::Blank), Evidence::Printed)),
                ..well()
            },
            &[],
        ),
        seen(
            Fault::PartialPrint,
            Sight {
                last_print: Some((JobState::Unknown(Trouble::Partial), Evidence::Parsed)),
                ..well()
            },
            &[],
        ),
        // The person says that the head has been left alone for long.
        seen(Fault::SupplyVoltage, told(Trouble::HeadHot), &[No, No]),
        seen(
            Fault::BufferFull,
            Sight {
                stalled: true,
                ..well()
            },
            &[],
        ),
        complained(Fault::PartialPrint, Symptom::CutShort),
        complained(Fault::PrintedTwice, Symptom::Twice),
        complained(Fault::BlankSlip, Symptom::Blank),
        complained(Fault::FaintPrint, Symptom::Faint),
        complained(Fault::WrongDriver, Symptom::Gibberish),
        complained(Fault::GarbledChinese, Symptom::Garbled),
        seen(
            Fault::PaperNearEnd,
            Sight {
                status: Status {
                    trouble: None,
                    paper_low: true,
                },
                ..well()
            },
            &[],
        ),
    ]
}

fn arrive(way: &Way) -> Talk {
    let mut talk = Talk::about(way.symptom);
    talk.saw(&way.sight);
    for reply in way.replies {
        talk.reply(*reply);
    }
    let fault = way.fault;
    assert!(
        talk.is_at(Step::Do { fault }),
        "{fault:?}: {:?}",
        talk.doctor.taken()
    );
    talk
}

#[test]
fn every_row_is_reached_first_and_closed_by_its_test() {
    let ways = ways();
    for way in &ways {
        let Way { fault, sight, .. } = way;
        let mut talk = arrive(way);
        let row = fault.row();
        if row.test != Test::Code {
            // What was seen before passes nothing by itself, and neither does a person's word.
            talk.saw(sight);
            assert!(talk.is_at(Step::Do { fault: *fault }), "{fault:?}");
        }
        if row.test == Test::Code || row.test.passed_by(sight) {
            talk.reply(Reply::Yes);
        }
        if row.test != Test::Code {
            talk.saw(&well());
        }
        talk.prove();
        assert_eq!(talk.doctor.outcome(), Some(Outcome::Fixed(*fault)));
        assert_eq!(talk.effects, [DoctorEffect::Show]);
    }
    for row in ROWS {
        let has_way = ways.iter().any(|way| way.fault == row.fault);
        assert!(has_way || row.fault == Fault::WaterOrBurn, "{}", row.id);
    }
}

#[test]
fn done_without_effect_leads_on_and_at_last_to_a_ticket() {
    for way in ways() {
        let mut talk = arrive(&way);
        let mut replies = 0;
        while talk.doctor.outcome().is_none() {
            replies += 1;
            assert!(replies < 60, "{:?} does not end", way.fault);
            answer(&mut talk, &way.sight, Reply::Yes);
        }
        let outcome = talk.doctor.outcome();
        assert!(
            matches!(outcome, Some(Outcome::Ticket(_))),
            "{:?}: {outcome:?}",
            way.fault
        );
    }
}

/// One more answer of somebody who always says the same and cannot read any page, while nothing changes.
fn answer(talk: &mut Talk, sight: &Sight, always: Reply) {
    match talk.doctor.step().expect("a step") {
        Step::Look => talk.saw(sight),
        Step::Print if sight.is_blocked() => talk.saw(sight),
        Step::Print => talk.printed(),
        Step::ReadCode => talk.reply(Reply::No),
        Step::Ask {
            question: Question::Paper,
            ..
        } => {
            talk.reply(Reply::Looks(Symptom::Blank));
        }
        // Nobody says yes to smoke here.
        Step::Ask {
            question: Question::Wet,
            ..
        } => {
            talk.reply(Reply::No);
        }
        Step::Ask { .. } => talk.reply(always),
        Step::Do { .. } | Step::Swap { .. } => {
            let before = talk.doctor.step();
            talk.reply(always);
            if talk.doctor.step() == before {
                talk.saw(sight);
            }
            if talk.doctor.step() == before
                && let Some(due) = talk.doctor.deadline()
            {
                talk.now_us = due;
                talk.input(DoctorInput::Tick);
            }
        }
    }
}

#[test]
fn neighbours_are_told_apart() {
    let way_to = |fault, sight, replies| {
        arrive(&Way {
            fault,
            sight,
            symptom: None,
            replies,
        })
    };
    use Reply::{No, Yes};
    // The same silence: the lamp, and who was heard before, decide.
    way_to(Fault::PowerOff, reached(Reach::Down), &[No, No]);
    way_to(Fault::DataCable, reached(Reach::Down), &[No, Yes, Yes]);
    way_to(Fault::HeldElsewhere, reached(Reach::Silent), &[Yes]);
    let heard = Sight {
        heard_s: Some(1),
        ..reached(Reach::Silent)
    };
    way_to(Fault::DataCable, heard, &[]);
    // The same bit: heat clears by itself, voltage does not.
    let mut talk = way_to(Fault::HeadHot, told(Trouble::HeadHot), &[No]);
    talk.reply(Yes);
    talk.saw(&told(Trouble::HeadHot));
    assert!(talk.is_at(Step::Do {
        fault: Fault::HeadHot
    }));
    assert_eq!(
        talk.doctor.deadline(),
        Some(talk.now_us - 2_000 + COOL_WAIT_US)
    );
    talk.now_us += COOL_WAIT_US;
    talk.input(DoctorInput::Tick);
    assert!(talk.is_at(Step::Do {
        fault: Fault::SupplyVoltage
    }));
    // The cover is read before the paper, and an open cover passes no test of the paper.
    let mut talk = way_to(Fault::PaperOut, told(Trouble::PaperOut), &[]);
    talk.saw(&told(Trouble::CoverOpen));
    assert!(talk.is_at(Step::Do {
        fault: Fault::PaperOut
    }));
    talk.reply(Yes);
    talk.saw(&told(Trouble::CoverOpen));
    assert!(talk.is_at(Step::Do {
        fault: Fault::CoverOpen
    }));
    talk.saw(&told(Trouble::PaperOut));
    assert!(talk.is_at(Step::Do {
        fault: Fault::PaperOut
    }));
    talk.saw(&well());
    talk.prove();
    assert_eq!(talk.doctor.outcome(), Some(Outcome::Fixed(Fault::PaperOut)));
}

#[test]
fn a_fresh_roll_that_lies_upside_down_is_found_by_eyes() {
    let mut talk = Talk::about(None);
    talk.saw(&told(Trouble::PaperOut));
    talk.saw(&well());
    talk.printed();
    assert!(talk.is_at(Step::ReadCode));
    talk.reply(Reply::Code(7));
    let Some(Step::Ask { question, suspect }) = talk.doctor.step() else {
        panic!("{:?}", talk.doctor.step());
    };
    assert_eq!((question, suspect), (Question::Paper, None));
    talk.reply(Reply::Looks(Symptom::Blank));
    assert!(talk.is_at(Step::Do {
        fault: Fault::BlankSlip
    }));
    talk.reply(Reply::Yes);
    talk.prove();
    assert_eq!(
        talk.doctor.outcome(),
        Some(Outcome::Fixed(Fault::BlankSlip))
    );
}

#[test]
fn a_well_printer_needs_one_page_and_one_answer() {
    let mut talk = Talk::about(None);
    talk.saw(&well());
    assert_eq!(
        talk.effects,
        [DoctorEffect::Show, DoctorEffect::PrintTestPage]
    );
    talk.prove();
    assert_eq!(talk.doctor.outcome(), Some(Outcome::Healthy));

    // A warning does not change it.
    let low = Sight {
        status: Status {
            trouble: None,
            paper_low: true,
        },
        ..well()
    };
    let mut talk = Talk::about(None);
    talk.saw(&low);
    talk.reply(Reply::No);
    talk.saw(&low);
    talk.prove();
    assert_eq!(talk.doctor.outcome(), Some(Outcome::Healthy));
}

#[test]
fn trouble_while_the_page_prints_is_treated() {
    let mut talk = Talk::about(None);
    talk.saw(&well());
    talk.saw(&told(Trouble::Cutter));
    assert!(talk.is_at(Step::Do {
        fault: Fault::CutterStuck
    }));
    talk.reply(Reply::Yes);
    assert_eq!(talk.effects, [DoctorEffect::Recover, DoctorEffect::Look]);
    talk.saw(&well());
    talk.prove();
    assert_eq!(
        talk.doctor.outcome(),
        Some(Outcome::Fixed(Fault::CutterStuck))
    );

    let mut talk = Talk::about(None);
    talk.saw(&well());
    talk.now_us += PAGE_WAIT_US;
    talk.input(DoctorInput::Tick);
    assert!(talk.is_at(Step::Do {
        fault: Fault::BufferFull
    }));
    // The page that was held comes out after all.
    talk.input(DoctorInput::Printed {
        code: 9,
        evidence: Evidence::Printed,
    });
    talk.reply(Reply::Code(9));
    assert_eq!(
        talk.doctor.outcome(),
        Some(Outcome::Fixed(Fault::BufferFull))
    );
}

#[test]
fn water_or_smoke_stops_everything() {
    for way in ways() {
        let mut talk = arrive(&way);
        talk.reply(Reply::Stop);
        assert_eq!(
            talk.doctor.outcome(),
            Some(Outcome::Stop),
            "{:?}",
            way.fault
        );
    }
    let mut talk = Talk::default();
    talk.reply(Reply::Stop);
    assert_eq!(talk.doctor.outcome(), Some(Outcome::Stop));

    let mut talk = Talk::about(None);
    talk.saw(&reached(Reach::Down));
    talk.reply(Reply::Yes);
    assert_eq!(talk.doctor.outcome(), Some(Outcome::Stop));
    let view = talk.doctor.view(Language::Zh).expect("a view");
    assert_eq!(
        (view.kind.as_str(), view.fault.as_deref()),
        ("stop", Some("water-or-burn"))
    );
    // Nothing goes on after it.
    talk.saw(&well());
    talk.reply(Reply::Yes);
    assert_eq!(talk.doctor.outcome(), Some(Outcome::Stop));
}

#[test]
fn rows_are_whole_and_say_nothing_unsafe() {
    let forbidden = [
        "再刷",
        "重刷",
        "刷卡",
        "付款",
        "支付",
        "pay",
        "swipe",
        "card again",
        "ink",
        "墨",
        "冲正",
        "revers",
        "refund",
    ];
    for (place, row) in ROWS.iter().enumerate() {
        assert_eq!(row.fault as usize, place);
        let name = serde_name(&row.fault);
        assert_eq!(name, row.id);
        assert!(row.instruction.0.chars().count() <= 40, "{}", row.id);
        assert!(row.instruction.1.chars().count() <= 60, "{}", row.id);
        let said = [row.name, row.machine, row.apart, row.instruction];
        for (zh, en) in said.into_iter().chain([row.test.words()]) {
            assert!(!zh.is_empty() && !en.is_empty(), "{}", row.id);
            let text = format!(" {zh} {} ", en.to_lowercase().replace("blink", ""));
            for word in forbidden {
                let part = match word {
                    "ink" => " ink",
                    word => word,
                };
                assert!(!text.contains(part), "{}: {word} in {text}", row.id);
            }
        }
        // A chain of rows ends.
        let (mut next, mut length) = (row.otherwise, 0);
        while let Next::Row(fault) = next {
            (next, length) = (fault.row().otherwise, length + 1);
            assert!(length < ROWS.len(), "{} runs in a circle", row.id);
        }
    }
    for (place, row) in QUESTIONS.iter().enumerate() {
        assert_eq!(row.question as usize, place);
    }
}

/// The name of a unit variant as serde writes it, without a format crate.
fn serde_name(fault: &Fault) -> String {
    let debug = format!("{fault:?}");
    let mut name = String::new();
    for letter in debug.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[test]
fn every_sight_that_blocks_has_a_row_or_a_question() {
    for reach in [
        Reach::Up,
        Reach::Refused,
        Reach::Down,
        Reach::Silent,
        Reach::Foreign,
    ] {
        for trouble in [None].into_iter().chain(Trouble::ALL.map(Some)) {
            let sight = Sight {
                reach,
                status: Status {
                    trouble,
                    paper_low: false,
                },
                ..well()
            };
            let mut talk = Talk::about(None);
            talk.saw(&sight);
            assert_eq!(
                talk.is_at(Step::Print),
                !sight.is_blocked(),
                "{sight:?}: {:?}",
                talk.doctor.step()
            );
        }
    }
}

#[test]
fn a_ticket_tells_what_was_seen_and_tried() {
    let mut talk = Talk::about(None);
    talk.saw(&told(Trouble::HeadHot));
    for _ in 0..3 {
        talk.reply(Reply::No);
    }
    assert!(matches!(talk.doctor.step(), Some(Step::Swap { .. })));
    talk.reply(Reply::Yes);
    talk.saw(&told(Trouble::HeadHot));
    assert_eq!(
        talk.doctor.outcome(),
        Some(Outcome::Ticket(Some(Fault::SupplyVoltage)))
    );
    let printer = Printer {
        address: "192.0.2.9:9100".into(),
        maker: "Example".into(),
        model: "X-80\u{1B}".into(),
        firmware: "1.2".into(),
        serial: "S".repeat(500),
    };
    let ticket = talk
        .doctor
        .ticket(printer, "2026-11-22 14:03:22".to_owned());
    assert_eq!(ticket.swaps, [(receipt::doctor::Swap::PowerSupply, false)]);
    let (zh, en) = (ticket.text(Language::Zh), ticket.text(Language::En));
    for words in [
        "192.0.2.9:9100",
        "Example X-80\n",
        "supply-voltage",
        "过热或电压",
        "电源、打印头",
        "无效",
    ] {
        assert!(zh.contains(words), "{words}\n{zh}");
    }
    assert!(
        en.contains("did not help") && en.contains("power supply, print head"),
        "{en}"
    );
    assert!(!zh.contains(&"S".repeat(65)));
}

#[test]
fn words_are_answers_only_to_their_step() {
    let ask = Step::Ask {
        question: Question::Paper,
        suspect: None,
    };
    let paper_out = Step::Do {
        fault: Fault::PaperOut,
    };
    for (text, step, reply) in [
        ("yes", paper_out, Some(Reply::Yes)),
        (" 好了 ", paper_out, Some(Reply::Yes)),
        ("不行", paper_out, Some(Reply::No)),
        ("0042", paper_out, None),
        ("0042", Step::ReadCode, Some(Reply::Code(42))),
        ("42", Step::ReadCode, None),
        ("+042", Step::ReadCode, None),
        ("blank", Step::ReadCode, Some(Reply::Looks(Symptom::Blank))),
        ("yes", Step::ReadCode, None),
        ("2", ask, Some(Reply::Looks(Symptom::Blank))),
        ("空白", ask, None),
        ("0", ask, None),
        ("11", ask, None),
        ("yes", ask, None),
        ("冒烟", Step::Look, Some(Reply::Stop)),
        ("quit", Step::Print, Some(Reply::GiveUp)),
        ("yes", Step::Print, None),
        ("", paper_out, None),
    ] {
        assert_eq!(Reply::parse(text, step), reply, "{text:?} to {step:?}");
    }
}

#[test]
fn a_test_page_has_its_code_and_nothing_of_a_sale() {
    for language in [Language::Zh, Language::En] {
        let fields = test_page(42, "T0000001", "2026-11-22 14:03:22");
        let slip = lay_out(&fields, CopyOf::Merchant, language, Paper::Mm58, None);
        let text = slip.text();
        assert!(text.contains("0042"), "{text}");
        for absent in ["RMB", "商户", "MERCHANT", "卡号", "SIGN", "签"] {
            assert!(!text.contains(absent), "{absent}\n{text}");
        }
        slip.escpos(1).expect("the printer has every character");
    }
    assert_eq!(code_text(65_535), "5535");
}

fn sights() -> impl Strategy<Value = Sight> {
    let reach = prop::sample::select(vec![
        Reach::Up,
        Reach::Up,
        Reach::Up,
        Reach::Refused,
        Reach::Down,
        Reach::Silent,
        Reach::Foreign,
    ]);
    let trouble = prop::option::of(prop::sample::select(Trouble::ALL.to_vec()));
    let queue = prop::sample::select(vec![
        Queue::Fine,
        Queue::Fine,
        Queue::WorkOffline,
        Queue::PortOffline,
    ]);
    let rarely = || prop::bool::weighted(0.1);
    (
        (reach, trouble, queue, prop::option::of(0..9_u64)),
        [rarely(), rarely(), rarely(), rarely(), rarely(), rarely()],
        prop::option::of(any::<bool>()),
    )
        .prop_map(|((reach, trouble, queue, heard_s), flags, chinese_font)| {
            let [
                off,
                template_missing,
                result_pending,
                stalled,
                device_differs,
                paper_low,
            ] = flags;
            Sight {
                reach,
                status: Status { trouble, paper_low },
                off: off.then(|| SwitchedOff {
                    by: "x\n".repeat(400),
                    since: String::new(),
                }),
                queue,
                template_missing,
                result_pending,
                stalled,
                device_differs,
                chinese_font,
                last_print: Some((JobState::Done, Evidence::Parsed)),
                heard_s,
                waiting: 3,
            }
        })
}

fn replies() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Yes),
        4 => Just(Reply::No),
        2 => (0..Symptom::ALL.len()).prop_map(|n| Reply::Looks(Symptom::ALL[n])),
        1 => (0..3_u16).prop_map(Reply::Code),
    ]
}

fn inputs() -> impl Strategy<Value = DoctorInput> {
    prop_oneof![
        4 => sights().prop_map(DoctorInput::Saw),
        4 => replies().prop_map(DoctorInput::Replied),
        1 => (0..3_u16, any::<bool>()).prop_map(|(code, sure)| DoctorInput::Printed {
            code,
            evidence: if sure { Evidence::Printed } else { Evidence::HandedOver },
        }),
        1 => Just(DoctorInput::Tick),
        1 => Just(DoctorInput::Began { sale_open: false, symptom: None }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// [`Talk::input`] watches the number of steps and that none is repeated.
    #[test]
    fn any_dialogue_ends_and_stop_always_wins(
        inputs in prop::collection::vec((inputs(), 0..400_000_000_u64), 0..80),
        last in sights(),
        yes in any::<bool>(),
    ) {
        let mut talk = Talk::about(None);
        for (input, later) in inputs {
            talk.now_us += later / 10;
            talk.input(input);
            let mut stopped = Talk { now_us: talk.now_us, doctor: talk.doctor.clone(), effects: vec![] };
            stopped.reply(Reply::Stop);
            prop_assert_eq!(stopped.doctor.outcome(), Some(Outcome::Stop));
            if let Some(sight) = talk.doctor.sight() {
                prop_assert!(sight.off.as_ref().is_none_or(|off| off.by.len() <= 64));
            }
        }
        let mut replies = 0;
        while talk.doctor.outcome().is_none() {
            replies += 1;
            prop_assert!(replies <= 2 * STEPS_MAX + usize::from(TEST_PAGES_MAX));
            answer(&mut talk, &last, if yes { Reply::Yes } else { Reply::No });
        }
        prop_assert!(talk.doctor.view(Language::Zh).is_some());
    }
}
