//! Random walks: any order of commands, fates, delays and deaths keeps the invariants, and ends with both sides agreeing.

use crate::host::{Fate, Mac, Reply};
use crate::money::{agree, settle};
use crate::world::{World, switched};
use payment::ResponseCode;
use receipt::SpoolInput;
use std::collections::VecDeque;
use terminal::{Command, Input};

const WALKS: u64 = 150;
const STEPS: u32 = 60;

/// xorshift64*: enough to be everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn fate(&mut self) -> Fate {
        match self.roll(14) {
            0 => Fate::Decline,
            1 => Fate::NoMac(ResponseCode::APPROVED),
            2 => Fate::NoMac(ResponseCode::INSUFFICIENT_FUNDS),
            3 => Fate::WrongMac,
            4 => Fate::GaveUp,
            5 => Fate::InProgress(self.roll(6) as u32),
            6 => Fate::AnswerLost,
            7 => Fate::Broken,
            8 => Fate::RequestLost,
            9 => Fate::Refused,
            _ => Fate::Approve,
        }
    }
}

pub fn walk(world: &mut World, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut late: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut outage = false;
    world.command(Command::SignOn);
    for _ in 0..STEPS {
        outage ^= dice.roll(12) == 0;
        match dice.roll(16) {
            0..=3 => {
                let sale = world.sale_command(100 + dice.roll(10_000));
                world.command(sale);
            }
            4 => world.command(Command::Withdraw),
            5 => world.command(Command::Flush),
            6 => world.command(Command::GoodsHandedOver(dice.roll(2) == 0)),
            7 => {
                let presented = world.present();
                world.command(match dice.roll(6) {
                    0 => Command::SignOff,
                    1 => Command::SignOn,
                    2 => Command::Echo,
                    3 => Command::Reprint(None),
                    _ => Command::balance(presented),
                });
            }
            8 => world.restart(),
            9 => world.input(Input::Printer(match dice.roll(4) {
                0 => switched(true),
                1 => switched(false),
                2 => SpoolInput::Connected,
                _ => SpoolInput::Lost,
            })),
            10 => {
                for (exchange, bytes) in std::mem::take(&mut late) {
                    world.frame(exchange, &bytes);
                }
            }
            11..=13 => world.pass(dice.roll(700)),
            _ => world.pass(dice.roll(6_000)),
        }
        while let Some(sent) = world.sent.pop_front() {
            let fate = match outage {
                true => Fate::RequestLost,
                false => dice.fate(),
            };
            match world.host.receive(&sent, fate) {
                Reply::Answer(answer, mac) if mac != Mac::Wrong && dice.roll(8) == 0 => {
                    late.push((sent.exchange, world.host.write(&answer, mac)));
                }
                reply => world.reply(&sent, reply),
            }
        }
    }
    let goods = [None, Some(true), Some(false)][dice.roll(3) as usize];
    settle(world, &mut VecDeque::new(), goods);
    agree(world);
}

#[test]
fn walks() {
    for seed in 0..WALKS {
        walk(&mut World::new(seed % 3 != 0), seed);
    }
}
