//! The status bytes of a printer's condition, bit by bit (receipts reference §2.1–2.3, §3.1).
//!
//! Every answer is made from one [`Condition`], so that no two answers disagree.

/// What the sensors say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Condition {
    pub drawer_open: bool,
    pub feed_button: bool,
    pub cover_open: bool,
    pub paper_out: bool,
    pub near_end: bool,
    pub cutter: bool,
    pub jam: bool,
    pub unrecoverable: bool,
    pub auto_recoverable: bool,
}

impl Condition {
    /// Anything that keeps it from printing.
    pub(super) fn offline(self) -> bool {
        self.feed_button || self.cover_open || self.paper_out || self.error()
    }

    fn error(self) -> bool {
        self.cutter || self.jam || self.unrecoverable || self.auto_recoverable
    }

    /// The answer to `DLE EOT n`; none for an n that it does not know.
    pub(super) fn realtime(self, n: u8) -> Option<u8> {
        let rows: &[(bool, u8)] = match n {
            1 => &[
                (self.drawer_open, 0x04),
                (self.offline(), 0x08),
                (self.feed_button, 0x40),
            ],
            2 => &[
                (self.cover_open, 0x04),
                (self.feed_button, 0x08),
                (self.paper_out, 0x20),
                (self.error(), 0x40),
            ],
            3 => &[
                (self.jam, 0x04),
                (self.cutter, 0x08),
                (self.unrecoverable, 0x20),
                (self.auto_recoverable, 0x40),
            ],
            4 => &[(self.near_end, 0x0C), (self.paper_out, 0x60)],
            _ => return None,
        };
        Some(bits(0x12, rows))
    }

    /// Automatic status back; the last byte is model dependent, here 00.
    pub(super) fn automatic(self) -> [u8; 4] {
        [
            bits(
                0x10,
                &[
                    (self.drawer_open, 0x04),
                    (self.offline(), 0x08),
                    (self.cover_open, 0x20),
                    (self.feed_button, 0x40),
                ],
            ),
            bits(
                0x00,
                &[
                    (self.feed_button, 0x02),
                    (self.jam, 0x04),
                    (self.cutter, 0x08),
                    (self.unrecoverable, 0x20),
                    (self.auto_recoverable, 0x40),
                ],
            ),
            bits(0x00, &[(self.near_end, 0x03), (self.paper_out, 0x0C)]),
            0x00,
        ]
    }

    /// The answer to `GS r 1`.
    pub(super) fn paper(self) -> u8 {
        bits(0x00, &[(self.near_end, 0x03), (self.paper_out, 0x0C)])
    }

    /// The answer to `GS r 2`.
    pub(super) fn drawer(self) -> u8 {
        u8::from(self.drawer_open)
    }

    /// The causes of `GS ( H` function 49 that hold. The reference gives their range, 40–7F, and no list; here each
    /// cause is one bit.
    pub(super) fn causes(self) -> Vec<u8> {
        [
            (self.cover_open, 0x41),
            (self.paper_out, 0x42),
            (self.jam || self.cutter, 0x44),
            (self.unrecoverable, 0x48),
        ]
        .into_iter()
        .filter(|row| row.0)
        .map(|row| row.1)
        .collect()
    }
}

/// Which bits of the automatic status `GS a n` asked to be told about when they change.
pub(super) fn watched(status: [u8; 4], n: u8) -> [u8; 4] {
    let on = |mask: u8, bits: u8| if n & mask != 0 { bits } else { 0 };
    let masks = [
        on(0x01, 0x04) | on(0x02, 0x28) | on(0x40, 0x40),
        on(0x04, 0x6C) | on(0x40, 0x02),
        on(0x08, 0x0F),
        0x00,
    ];
    std::array::from_fn(|place| status[place] & masks[place])
}

fn bits(fixed: u8, rows: &[(bool, u8)]) -> u8 {
    let set = rows.iter().filter(|row| row.0);
    set.fold(fixed, |byte, row| byte | row.1)
}
