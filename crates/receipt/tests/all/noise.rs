//! A million random bytes from a device: bounded state, and nothing is printed without its own ID.

use crate::world::World;
use receipt::escpos::{Section, process_id};
use receipt::{CopyOf, Evidence, SpoolInput, SpoolRecord};

const BYTES: usize = 1_000_000;
const SLIPS: u64 = 40;
/// Bytes that lead somewhere: statuses, headers, flow control, NUL.
const TELLING: [u8; 20] = [
    0x12, 0x12, 0x12, 0x12, 0x10, 0x00, 0x00, 0x37, 0x22, 0x23, 0x25, 0x3B, 0x3D, 0x5F, 0x39, 0x11,
    0x13, 0x1A, 0x32, 0x0F,
];

struct Noise(u64);

impl Noise {
    /// A number below `end` (xorshift).
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn piece(&mut self) -> Vec<u8> {
        match self.below(16) {
            // Somebody's ID, now and then the right one.
            0 => {
                let section = [Section::Body, Section::Cut][self.below(2)];
                let [one, two, three, letter] = process_id(self.below(80) as u32, section);
                vec![0x37, 0x22, one, two, three, letter, 0x00]
            }
            // A question answered.
            1..=5 => vec![0x12; 4],
            _ => {
                let telling = self.below(2) == 0;
                let byte = |noise: &mut Noise| match telling {
                    true => TELLING[noise.below(TELLING.len())],
                    false => noise.below(256) as u8,
                };
                (0..self.below(60)).map(|_| byte(self)).collect()
            }
        }
    }
}

#[test]
fn a_million_random_bytes() {
    let mut noise = Noise(0x5EED);
    let mut world = World::new();
    let (mut said, mut printed) = (0, 0);
    let mut stream: Vec<u8> = Vec::new();
    for piece_number in 0.. {
        if said >= BYTES {
            break;
        }
        if piece_number % 1_000 == 0 {
            let slip_id = piece_number / 1_000 % SLIPS;
            world.submit(slip_id, CopyOf::Merchant);
            world.input(SpoolInput::Reprint { slip_id });
        }
        let piece = noise.piece();
        said += piece.len();
        stream.extend(piece.iter().filter(|byte| ![0x11, 0x13].contains(*byte)));
        let before = world.records.len();
        let bound = 2 * piece.len() + 4;
        world.heard(&piece);
        let records = &world.records[before..];
        assert!(records.len() <= bound, "{piece:02X?} {records:?}");
        for record in records {
            if let SpoolRecord::Printed { job, .. } = record {
                printed += 1;
                let ids = [Section::Body, Section::Cut].map(|section| process_id(*job, section));
                let block = |id: [u8; 4]| [&[0x37, 0x22][..], &id, &[0x00]].concat();
                let echoed = |id| stream.windows(7).any(|seven| seven == block(id));
                assert!(ids.into_iter().any(echoed), "job {job}");
            }
        }
        if world.connected() && stream.len() > 100_000 {
            world.lose(0);
        }
        world.now_us += noise.below(1_000_000) as u64;
        world.input(SpoolInput::Tick);
        if !world.connected() {
            stream.clear();
            world.now_us += 3_000_000;
            world.input(SpoolInput::Tick);
            world.answer_connect();
        }
        world.clear_wires();
        world.told.clear();
        if piece_number % 1_000 == 0 {
            let held = format!("{:?}", world.spool).len();
            assert!(held < 2_000 * SLIPS as usize + 4_000, "{held}");
        }
    }
    let claimed: u32 = (0..SLIPS)
        .filter_map(|slip_id| world.spool.evidence(slip_id))
        .map(|(_, evidence, prints)| {
            assert_eq!(evidence >= Evidence::Printed, prints > 0);
            prints
        })
        .sum();
    assert_eq!(claimed, printed);
    assert!(printed > 0, "the right ID was never among them");
}
