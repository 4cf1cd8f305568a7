//! Rows of the way to the printer: power, cable, address, device, and who else holds it.

use super::{Fault, Next, Part, Question, Row, Swap, Symptom, Test, last, looks};
use crate::doctor::Reach;
use crate::trouble::Trouble;

pub(super) const WRONG_DEVICE: Row = Row {
    fault: Fault::WrongDevice,
    id: "wrong-device",
    name: ("连错了设备", "Not this printer"),
    machine: (
        "有连接，但应答的不是打印机状态；或 GS I 的厂商、型号与设置不同",
        "connects, but the answer is no printer's status; or maker or model of GS I is not the configured one",
    ),
    asks: &[Question::Paper],
    apart: (
        "有应答：不是线，也不是电源；确认身份之前什么都不发送",
        "something answers: neither cable nor power; nothing is sent before it is identified",
    ),
    instruction: (
        "请核对打印机地址，应与其自检页上的一致",
        "Check the printer's address against its self-test page",
    ),
    test: Test::RightDevice,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software],
    recovers: false,
    source: "§6.11, A81",
    sees: |sight, heard| {
        sight.reach == Reach::Foreign
            || sight.device_differs
            || looks(heard, Symptom::Nothing)
            || last(sight, Trouble::NothingCameOut)
    },
};

pub(super) const WRONG_PORT: Row = Row {
    fault: Fault::WrongPort,
    id: "wrong-port",
    name: ("接口或端口不对", "Wrong interface or port"),
    machine: (
        "该地址有设备，但端口拒绝连接",
        "there is a device at the address, and its port refuses the connection",
    ),
    asks: &[],
    apart: (
        "立即被拒绝：设备通电且联网；断电或断线则没有回音",
        "refused at once: the device has power and network; without them nothing would answer",
    ),
    instruction: (
        "请核对打印机的接口和端口号，一般为 9100",
        "Check the printer's interface and port, mostly 9100",
    ),
    test: Test::Answers,
    swap: None,
    otherwise: Next::Row(Fault::NotReady),
    parts: &[Part::Software],
    recovers: false,
    source: "§6.1, §6.11, §4.1, A83",
    sees: |sight, _| sight.reach == Reach::Refused,
};

pub(super) const HELD_ELSEWHERE: Row = Row {
    fault: Fault::HeldElsewhere,
    id: "held-elsewhere",
    name: ("被另一台收银机占用", "Held by another till"),
    machine: (
        "能连上，但一直没有应答，本机从未收到过应答",
        "connects, but nothing is ever answered to this till",
    ),
    asks: &[Question::OtherTill],
    apart: (
        "刚才还有应答的，多半是数据线",
        "one that answered a moment ago is rather the cable",
    ),
    instruction: (
        "请关闭另一台收银机上的打印程序",
        "Close the other till's printing program",
    ),
    test: Test::Answers,
    swap: None,
    otherwise: Next::Row(Fault::NotReady),
    parts: &[Part::Software],
    recovers: false,
    source: "§6.22",
    sees: |sight, heard| {
        sight.reach == Reach::Silent && sight.heard_s.is_none() && heard.other_till == Some(true)
    },
};

pub(super) const POWER_OFF: Row = Row {
    fault: Fault::PowerOff,
    id: "power-off",
    name: ("没有通电", "No power"),
    machine: (
        "该地址没有回音，或打印机报告正在断电",
        "nothing at the address answers, or the printer announced that it is being switched off",
    ),
    asks: &[Question::Wet, Question::PowerLamp],
    apart: (
        "电源灯不亮；灯亮而没有回音是数据线",
        "the power lamp is off; on and no answer means the cable",
    ),
    instruction: (
        "请插紧电源线，打开打印机开关",
        "Push the power plug in and switch the printer on",
    ),
    test: Test::Answers,
    swap: Some(Swap::PowerSupply),
    otherwise: Next::Ticket,
    parts: &[Part::PowerSupply, Part::Board],
    recovers: false,
    source: "§6.1, A84, A86",
    sees: |sight, heard| {
        let silent = sight.reach == Reach::Down && heard.power_lamp == Some(false);
        silent || sight.status.trouble == Some(Trouble::PowerLost)
    },
};

pub(super) const DATA_CABLE: Row = Row {
    fault: Fault::DataCable,
    id: "data-cable",
    name: ("数据线松动", "Data cable loose"),
    machine: (
        "没有回音，或刚才有应答、现在没有",
        "nothing answers, or it answered a moment ago and does not now",
    ),
    asks: &[Question::PowerLamp, Question::ReadyLamp],
    apart: (
        "电源灯和工作灯都亮；别的设备联网正常则问题在这根线",
        "both lamps are on; when other devices are online it is this cable",
    ),
    instruction: (
        "请把数据线两端都插紧，听到咔哒声",
        "Push both ends of the data cable in until they click",
    ),
    test: Test::Answers,
    swap: Some(Swap::Cable),
    otherwise: Next::Row(Fault::WrongPort),
    parts: &[Part::Cable, Part::Board],
    recovers: false,
    source: "§6.10, A83",
    sees: |sight, heard| match sight.reach {
        Reach::Down => heard.power_lamp == Some(true) && heard.ready_lamp == Some(true),
        Reach::Silent => sight.heard_s.is_some() || heard.other_till == Some(false),
        _ => false,
    },
};

pub(super) const BUFFER_FULL: Row = Row {
    fault: Fault::BufferFull,
    id: "buffer-full",
    name: ("缓冲区已满", "Its buffer is full"),
    machine: (
        "联机、状态正常，但十秒以上不再接收数据",
        "online and well, and it takes no bytes for more than ten seconds",
    ),
    asks: &[],
    apart: (
        "缺纸、开盖、卡纸时也停收，但有对应的状态位",
        "out of paper, open or jammed it stops too, but says so in its status",
    ),
    instruction: (
        "请关闭打印机，等十秒，再打开",
        "Switch the printer off, wait ten seconds, switch it on",
    ),
    test: Test::Flows,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Board],
    recovers: false,
    source: "§6.17",
    sees: |sight, _| sight.stalled && sight.reach == Reach::Up,
};
