//! Rows of the paper and of what stands on it: mostly only a person can see it.

use super::{Fault, Next, Part, Question, Row, Swap, Symptom, Test, has, last, looks};
use crate::doctor::Reach;
use crate::trouble::Trouble;

pub(super) const PAPER_OUT: Row = Row {
    fault: Fault::PaperOut,
    id: "paper-out",
    name: ("缺纸", "Out of paper"),
    machine: (
        "EOT 4 的 60 位，EOT 2 的 20 位",
        "EOT 4 bits 60, EOT 2 bit 20",
    ),
    asks: &[],
    apart: (
        "先看盖：开盖时纸传感器不可信",
        "the cover first: while it is open the sensor is not to be trusted",
    ),
    instruction: (
        "请装一卷热敏纸，涂层面朝打印头，合盖",
        "Load a thermal roll, coated side to the head; close",
    ),
    test: Test::Clears(Trouble::PaperOut),
    swap: Some(Swap::Roll),
    otherwise: Next::Ticket,
    parts: &[Part::Roll, Part::Sensor],
    recovers: false,
    source: "§6.3, A74",
    sees: |sight, _| has(sight, Trouble::PaperOut),
};

pub(super) const PAPER_NEAR_END: Row = Row {
    fault: Fault::PaperNearEnd,
    id: "paper-near-end",
    name: ("纸将用尽", "Paper near its end"),
    machine: (
        "EOT 4 的 0C 位；廉价机没有此传感器",
        "EOT 4 bits 0C; cheap units have no such sensor",
    ),
    asks: &[],
    apart: (
        "还能打印，只是提醒；缺纸是 60 位",
        "it still prints, a warning only; paper out is bits 60",
    ),
    instruction: (
        "请换一卷新纸；不换请答 no，继续",
        "Load a new roll now, or answer no to go on with this one",
    ),
    test: Test::RollFull,
    swap: None,
    otherwise: Next::TestPage,
    parts: &[Part::Roll],
    recovers: false,
    source: "§6.4, A74, A76",
    sees: |sight, _| sight.reach == Reach::Up && sight.status.paper_low,
};

pub(super) const PARTIAL_PRINT: Row = Row {
    fault: Fault::PartialPrint,
    id: "partial-print",
    name: ("只打了一部分", "Partly printed"),
    machine: (
        "前面的作业号有回执，最后一个没有；或中途出错",
        "some process IDs came back and not the last; or an error in the middle",
    ),
    asks: &[Question::Paper],
    apart: (
        "整张空白是纸装反；缺头少尾才是这里",
        "a blank slip is the roll; this one has a beginning and no end",
    ),
    instruction: (
        "请撕毁残缺的小票，稍后整张重打印",
        "Destroy the part; reprint the whole slip afterwards",
    ),
    test: Test::Code,
    swap: Some(Swap::Roll),
    otherwise: Next::Ticket,
    parts: &[Part::Platen, Part::Sensor],
    recovers: false,
    source: "§6.18",
    sees: |sight, heard| looks(heard, Symptom::CutShort) || last(sight, Trouble::Partial),
};

pub(super) const PRINTED_TWICE: Row = Row {
    fault: Fault::PrintedTwice,
    id: "printed-twice",
    name: ("打了两次", "Printed twice"),
    machine: (
        "同一张小票有两次发送记录",
        "two prints of one slip were sent",
    ),
    asks: &[Question::Paper],
    apart: (
        "第二张有“重打印”字样；两联存根不算",
        "the second says REPRINT; two different copies are not it",
    ),
    instruction: (
        "请留下没有“重打印”字样的那一张",
        "Keep the one without the word REPRINT",
    ),
    test: Test::Code,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software],
    recovers: false,
    source: "§6.20",
    sees: |_, heard| looks(heard, Symptom::Twice),
};

pub(super) const BLANK_SLIP: Row = Row {
    fault: Fault::BlankSlip,
    id: "blank-slip",
    name: ("出纸无字", "Blank slip"),
    machine: (
        "看不到：所有状态和回执都正常；刚换过纸是线索",
        "nothing: every status and every ID is good; a roll that was just changed is a hint",
    ),
    asks: &[Question::Paper],
    apart: (
        "有淡字是打印头脏；全无字是纸装反或不是热敏纸",
        "traces of print mean a dirty head; none at all means the roll",
    ),
    instruction: (
        "请把纸卷翻面：指甲划得出黑印的一面朝打印头",
        "Turn the roll: the side a nail marks dark faces the head",
    ),
    test: Test::Code,
    swap: Some(Swap::Roll),
    otherwise: Next::Ticket,
    parts: &[Part::Head, Part::Roll],
    recovers: false,
    source: "§6.16, A77",
    sees: |sight, heard| looks(heard, Symptom::Blank) || last(sight, Trouble::Blank),
};

pub(super) const FAINT_PRINT: Row = Row {
    fault: Fault::FaintPrint,
    id: "faint-print",
    name: ("字淡或缺划", "Faint print or gaps"),
    machine: ("看不到，只能由人报告", "nothing: only a person can tell"),
    asks: &[Question::Paper],
    apart: (
        "全无字先翻纸卷；总在同一列缺划是打印头",
        "no print at all: turn the roll; gaps always in one column: the head",
    ),
    instruction: (
        "请关机，用酒精棉擦净打印头，干后开机",
        "Switch off, wipe the head with alcohol, let it dry",
    ),
    test: Test::Code,
    swap: Some(Swap::Roll),
    otherwise: Next::Ticket,
    parts: &[Part::Head],
    recovers: false,
    source: "§6.19, A75, A76",
    sees: |_, heard| looks(heard, Symptom::Faint),
};

pub(super) const WRONG_DRIVER: Row = Row {
    fault: Fault::WrongDriver,
    id: "wrong-driver",
    name: ("驱动不对", "Wrong driver"),
    machine: (
        "经打印队列时收不到状态；驱动版本与设置不同",
        "through a queue no status comes back; the driver is not the configured one",
    ),
    asks: &[Question::Paper],
    apart: (
        "数字也乱；只有汉字乱是字库",
        "digits are wrong too; only Chinese wrong is the font",
    ),
    instruction: (
        "请重新安装本型号驱动，或改用直接连接",
        "Reinstall this model's driver, or connect directly",
    ),
    test: Test::Code,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software],
    recovers: false,
    source: "§6.11, A81",
    sees: |_, heard| looks(heard, Symptom::Gibberish),
};

pub(super) const GARBLED_CHINESE: Row = Row {
    fault: Fault::GarbledChinese,
    id: "garbled-chinese",
    name: ("汉字乱码", "Chinese garbled"),
    machine: (
        "GS I 2 的 01 位为 0：没有双字节字库",
        "GS I 2 bit 01 is 0: it has no two-byte font",
    ),
    asks: &[Question::Paper],
    apart: (
        "数字正确；数字也乱是驱动",
        "digits are right; digits wrong too is the driver",
    ),
    instruction: (
        "请在设置中改用图像模式打印",
        "Switch the till's printing to image mode",
    ),
    test: Test::Code,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software, Part::Printer],
    recovers: false,
    source: "§6.21, A80",
    sees: |_, heard| looks(heard, Symptom::Garbled),
};
