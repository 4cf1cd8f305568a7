//! The contract between a party and whatever drives it: hear, decide, write, flush, then act.
//!
//! A party's state is nothing but its records applied in order; it owns no clock, socket, randomness or storage.

use serde::{Deserialize, Serialize};

/// A monotonic reading in microseconds. It never goes back, also not across a restart; deadlines use it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Mono(pub u64);

impl Mono {
    /// This reading moved forward by `milliseconds`.
    pub const fn plus_ms(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds.saturating_mul(1_000)))
    }

    /// Milliseconds from `earlier` to this reading, zero when `earlier` is later.
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }
}

/// A wall reading: milliseconds since the Unix epoch, UTC. It may jump; business dates and fields 7, 12, 13 use it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Wall(pub i64);

impl Wall {
    /// The date and time in China (UTC+8, no summer time), where field 12 and 13 are read.
    pub fn local(self) -> jiff::civil::DateTime {
        let clamped = self.0.clamp(0, 4_102_444_800_000);
        jiff::tz::Offset::constant(8).to_datetime(
            jiff::Timestamp::from_millisecond(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        )
    }

    /// The beginning of a minute in China, of `2026-11-22` and `14:03`; none when there is no such minute.
    pub fn of_minute(date: &str, time: &str) -> Option<Self> {
        let (date, (hour, minute)) = (
            date.parse::<jiff::civil::Date>().ok()?,
            time.split_once(':')?,
        );
        let number = |text: &str| text.parse::<u8>().ok().filter(|_| text.len() <= 2);
        let (hour, minute) = (number(hour)?, number(minute)?);
        let time =
            jiff::civil::Time::new(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0).ok()?;
        let at = jiff::tz::Offset::constant(8)
            .to_timestamp(date.to_datetime(time))
            .ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// Field 7, `MMDDhhmmss` in UTC+8 as one number.
    pub fn transmission(self) -> u64 {
        let t = self.local();
        (((t.month() as u64 * 100 + t.day() as u64) * 100 + t.hour() as u64) * 100
            + t.minute() as u64)
            * 100
            + t.second() as u64
    }

    /// Field 12, `hhmmss`.
    pub fn time(self) -> u32 {
        (self.transmission() % 1_000_000) as u32
    }

    /// Field 13, `MMDD`.
    pub fn date(self) -> u16 {
        (self.transmission() / 1_000_000) as u16
    }

    /// Days since the Unix epoch in UTC+8; the day key of sealed card numbers is named by it.
    pub fn day(self) -> u16 {
        ((self.0.max(0) / 1_000 + 8 * 3_600) / 86_400).clamp(0, u16::MAX as i64) as u16
    }

    /// `2026-11-22 14:03:22`, China time, as slips and pages print it.
    pub fn text(self) -> String {
        let t = self.local();
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }
}

/// Both readings at the moment of a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For deadlines.
    pub mono: Mono,
    /// For dates.
    pub wall: Wall,
}

/// What a party decided: records first, effects only once they are durable.
#[derive(Clone, Debug)]
pub struct Decision<R, E> {
    /// Durable facts, in the order they apply.
    pub records: Vec<R>,
    /// What the driver must do after the records are on disk, in order.
    pub effects: Vec<E>,
}

impl<R, E> Default for Decision<R, E> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            effects: Vec::new(),
        }
    }
}

impl<R, E> Decision<R, E> {
    /// Nothing to write and nothing to do.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Adds a record.
    pub fn record(&mut self, record: R) -> &mut Self {
        self.records.push(record);
        self
    }

    /// Adds an effect.
    pub fn effect(&mut self, effect: E) -> &mut Self {
        self.effects.push(effect);
        self
    }

    /// True when the input changes nothing.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.effects.is_empty()
    }
}

/// A party, or a part of one. See the module text.
pub trait Machine {
    /// What happened outside: a message, a key press, a printer's byte, the passing of a deadline.
    type Input;
    /// What was decided: durable, versioned, replayable, the only thing that changes state.
    type Record;
    /// What the driver must do, never before the records are on disk.
    type Effect;

    /// Decides without changing anything.
    fn decide(&self, now: Now, input: Self::Input) -> Decision<Self::Record, Self::Effect>;
    /// Changes the state by one record; the same for a live decision and for a replay.
    fn apply(&mut self, record: &Self::Record);
    /// When the party wants to be asked again, derived from its state: no timer is ever set or orphaned.
    fn deadline(&self) -> Option<Mono>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_is_read_in_china() {
        // 2026-11-22T06:03:22Z
        let wall = Wall(1_795_327_402_000);
        assert_eq!(wall.text(), "2026-11-22 14:03:22");
        assert_eq!(
            (wall.transmission(), wall.time(), wall.date()),
            (1_122_140_322, 140_322, 1_122)
        );
        assert_eq!(
            Wall::of_minute("2026-11-22", "14:03"),
            Some(Wall(wall.0 - 22_000))
        );
        for (date, time) in [
            ("2026-11-22", "24:00"),
            ("2026-11-22", "14:60"),
            ("2026-11-31", "14:03"),
            ("2026-11-22", "1403"),
            ("", ""),
            ("9999-12-31", "23:59:59"),
        ] {
            assert_eq!(Wall::of_minute(date, time), None, "{date} {time}");
        }
        assert_eq!(Wall(-5).text(), "1970-01-01 08:00:00");
        assert_eq!(Mono(1_500).plus_ms(2).since_ms(Mono(500)), 3);
    }
}
