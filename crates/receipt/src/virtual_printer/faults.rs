//! What can be done to a printer, and in which ways it may lie; each with its word and its name in both languages.
//!
//! A fault is on or off; a lie is one of a list, of which the first is the truth.

/// Something wrong with the printer (receipts reference §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The roll is at its end.
    PaperOut,
    /// The near-end sensor says so; a warning only.
    NearEnd,
    /// The cover is open.
    CoverOpen,
    /// The next cut fails.
    CutterStuck,
    /// Paper is jammed: a recoverable error.
    Jam,
    /// The head or the board is broken: an unrecoverable error.
    HeadFault,
    /// The head is too hot; clears by itself after [`super::HOT_US`].
    HeadHot,
    /// The supply voltage is wrong: the same sign as a hot head, and it stays.
    Voltage,
    /// Somebody holds the feed button.
    FeedButton,
    /// The roll is upside down: everything is well and nothing can be read.
    Blank,
    /// There is no Chinese font: two-byte codes are drawn as code page 437.
    NoChinese,
    /// Prints [`super::SLOW_MM_PER_S`] millimetres a second.
    Slow,
    /// Holds [`super::SMALL_BUFFER_BYTES`] only.
    SmallBuffer,
    /// Takes no byte any more, and says nothing is wrong.
    BufferFull,
    /// Deselected: swallows everything but real-time commands until `ESC = 1`.
    Deselected,
    /// After a mechanical error it waits for `DLE ENQ`.
    WaitsForRecovery,
    /// Takes every byte and never says one.
    Silent,
    /// The data cable is out.
    Unplugged,
    /// The power is off.
    PowerOff,
}

impl Fault {
    /// Every fault, in the order of a page.
    pub const ALL: [Fault; 19] = [
        Fault::PaperOut,
        Fault::NearEnd,
        Fault::CoverOpen,
        Fault::CutterStuck,
        Fault::Jam,
        Fault::HeadFault,
        Fault::HeadHot,
        Fault::Voltage,
        Fault::FeedButton,
        Fault::Blank,
        Fault::NoChinese,
        Fault::Slow,
        Fault::SmallBuffer,
        Fault::BufferFull,
        Fault::Deselected,
        Fault::WaitsForRecovery,
        Fault::Silent,
        Fault::Unplugged,
        Fault::PowerOff,
    ];

    /// The words that bring it about and end it.
    pub fn commands(self) -> (&'static str, &'static str) {
        match self {
            Fault::PaperOut => ("out", "paper"),
            Fault::NearEnd => ("low", "full"),
            Fault::CoverOpen => ("open", "close"),
            Fault::CutterStuck => ("stick", "free"),
            Fault::Jam => ("jam", "unjam"),
            Fault::HeadFault => ("break", "repair"),
            Fault::HeadHot => ("hot", "cool"),
            Fault::Voltage => ("voltage", "steady"),
            Fault::FeedButton => ("press", "release"),
            Fault::Blank => ("blank", "good"),
            Fault::NoChinese => ("ascii", "chinese"),
            Fault::Slow => ("slow", "fast"),
            Fault::SmallBuffer => ("small", "large"),
            Fault::BufferFull => ("clog", "unclog"),
            Fault::Deselected => ("deselect", "select"),
            Fault::WaitsForRecovery => ("latch", "unlatch"),
            Fault::Silent => ("mute", "unmute"),
            Fault::Unplugged => ("unplug", "plug"),
            Fault::PowerOff => ("off", "on"),
        }
    }

    /// What it is, zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Fault::PaperOut => ("缺纸", "out of paper"),
            Fault::NearEnd => ("纸将尽", "paper near its end"),
            Fault::CoverOpen => ("盖开着", "cover open"),
            Fault::CutterStuck => ("切刀卡住", "cutter stuck"),
            Fault::Jam => ("卡纸", "paper jam"),
            Fault::HeadFault => ("打印头损坏", "head broken"),
            Fault::HeadHot => ("打印头过热", "head too hot"),
            Fault::Voltage => ("电压异常", "wrong voltage"),
            Fault::FeedButton => ("走纸键按住", "feed button held"),
            Fault::Blank => ("纸装反，印不出字", "roll upside down, prints blank"),
            Fault::NoChinese => ("没有中文字库", "no Chinese font"),
            Fault::Slow => ("打印很慢", "slow"),
            Fault::SmallBuffer => ("缓冲区很小", "small buffer"),
            Fault::BufferFull => ("缓冲区已满", "buffer full"),
            Fault::Deselected => ("已取消选中", "deselected"),
            Fault::WaitsForRecovery => ("出错后等候恢复指令", "waits for recovery after an error"),
            Fault::Silent => ("只收不答", "takes all, says nothing"),
            Fault::Unplugged => ("数据线拔出", "cable out"),
            Fault::PowerOff => ("关机", "power off"),
        }
    }
}

/// How it treats the process ID of `GS ( H` (receipts reference §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Answers when everything before it is on paper.
    #[default]
    Honest,
    /// Does not know the command.
    Absent,
    /// Always answers `1234`, whatever the ID.
    Constant,
    /// Answers as soon as it has read the command, on paper or not.
    Parsed,
    /// Every second answer, beginning with the first, is lost.
    Lost,
    /// Answers [`super::LATE_US`] after it should.
    Late,
    /// Answers with another ID.
    WrongId,
    /// Answers honestly in time, and no paper ever moves.
    NothingPrinted,
}

impl Echo {
    /// Every way, the truth first.
    pub const ALL: [Echo; 8] = [
        Echo::Honest,
        Echo::Absent,
        Echo::Constant,
        Echo::Parsed,
        Echo::Lost,
        Echo::Late,
        Echo::WrongId,
        Echo::NothingPrinted,
    ];

    /// The word that brings it about.
    pub fn command(self) -> &'static str {
        match self {
            Echo::Honest => "honest",
            Echo::Absent => "absent",
            Echo::Constant => "constant",
            Echo::Parsed => "parsed",
            Echo::Lost => "lost",
            Echo::Late => "late",
            Echo::WrongId => "wrong",
            Echo::NothingPrinted => "nothing",
        }
    }

    /// What it is, zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Echo::Honest => (
                "如实：印在纸上才应答",
                "honest: answers when it is on paper",
            ),
            Echo::Absent => ("不认识打印凭证号", "does not know process IDs"),
            Echo::Constant => ("总是应答 1234", "always answers 1234"),
            Echo::Parsed => (
                "读到就应答，不等印出",
                "answers when read, not when printed",
            ),
            Echo::Lost => ("应答丢失一半", "loses every second answer"),
            Echo::Late => ("应答迟到 30 秒", "answers 30 s late"),
            Echo::WrongId => ("应答的号码不对", "answers with a wrong ID"),
            Echo::NothingPrinted => ("什么都没印也应答成功", "says success and prints nothing"),
        }
    }
}

/// How it treats the questions about its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// As its sensors say.
    #[default]
    Honest,
    /// Always well.
    AlwaysWell,
    /// As cheap copies do: `DLE EOT` always 12, no automatic status, `GS r` 0F for no paper, at once.
    Clone,
}

impl Told {
    /// Every way, the truth first.
    pub const ALL: [Told; 3] = [Told::Honest, Told::AlwaysWell, Told::Clone];

    /// The word that brings it about.
    pub fn command(self) -> &'static str {
        match self {
            Told::Honest => "truthful",
            Told::AlwaysWell => "well",
            Told::Clone => "clone",
        }
    }

    /// What it is, zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Told::Honest => ("如实报告状态", "tells its status truly"),
            Told::AlwaysWell => ("总说一切正常", "always says that all is well"),
            Told::Clone => ("廉价仿制机的应答", "answers as cheap copies do"),
        }
    }
}
