//! Element 48 of the terminal interface in settlement: totals and batch-upload records (reference §2.4). Which of the
//! two it is, the message says, not the element.

use core::fmt;

use crate::digits::{number, write_number};
use crate::error::{Error, ErrorKind};
use crate::mask::mask_pan;

/// Digits of the totals element.
pub const TOTALS_DIGITS: usize = 62;
/// Records in one batch-upload message.
pub const RECORDS_MAX: usize = 8;
/// Digits of one batch-upload record.
pub const RECORD_DIGITS: usize = 40;

/// Totals of one kind of card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sum of debits, minor units, up to 12 digits.
    pub debit_minor: u64,
    /// Number of debits, 0..=999.
    pub debit_count: u16,
    /// Sum of credits, minor units, up to 12 digits.
    pub credit_minor: u64,
    /// Number of credits, 0..=999.
    pub credit_count: u16,
    /// Answer: 0 in a request, 1 balanced, 2 unbalanced, 3 error.
    pub answer: u8,
}

/// The totals of a settlement request or answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Domestic cards (内卡).
    pub domestic: Totals,
    /// Foreign cards (外卡).
    pub foreign: Totals,
}

impl Settlement {
    /// Reads the logical value.
    ///
    /// # Errors
    /// Not 62 digits.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        if value.len() != TOTALS_DIGITS {
            return Err(Error::new(48, 0, ErrorKind::Layout));
        }
        digits_only(value)?;
        let part = |from: usize, to: usize| number(&value[from..to]).unwrap_or(0);
        let totals = |at: usize| Totals {
            debit_minor: part(at, at + 12),
            debit_count: part(at + 12, at + 15) as u16,
            credit_minor: part(at + 15, at + 27),
            credit_count: part(at + 27, at + 30) as u16,
            answer: value[at + 30] - b'0',
        };
        Ok(Self {
            domestic: totals(0),
            foreign: totals(31),
        })
    }

    /// Both kinds balanced, as a terminal decides it.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.domestic.answer == 1 && self.foreign.answer == 1
    }

    /// Writes the logical value; `None` if a number has more digits than its place.
    #[must_use]
    pub fn write(&self) -> Option<[u8; TOTALS_DIGITS]> {
        let mut value = [0; TOTALS_DIGITS];
        let mut fits = true;
        for (half, totals) in value
            .chunks_exact_mut(31)
            .zip([self.domestic, self.foreign])
        {
            fits &= write_number(totals.debit_minor, &mut half[..12])
                & write_number(u64::from(totals.debit_count), &mut half[12..15])
                & write_number(totals.credit_minor, &mut half[15..27])
                & write_number(u64::from(totals.credit_count), &mut half[27..30])
                & write_number(u64::from(totals.answer), &mut half[30..]);
        }
        fits.then_some(value)
    }
}

/// One transaction of a batch upload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchRecord<'a> {
    /// Foreign card (`01`) or domestic (`00`).
    pub foreign: bool,
    /// Trace number, 0..=999999.
    pub stan: u32,
    /// Card number without the zeros that fill it to 20 digits.
    pub pan: &'a [u8],
    /// Minor units, up to 12 digits.
    pub amount_minor: u64,
}

impl fmt::Debug for BatchRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchRecord")
            .field("foreign", &self.foreign)
            .field("stan", &self.stan)
            .field("pan", &mask_pan(self.pan))
            .field("amount_minor", &self.amount_minor)
            .finish()
    }
}

impl<'a> BatchRecord<'a> {
    /// Reads all records of an element 48.
    ///
    /// # Errors
    /// A count above 8, a length that is not that of the records, or something that is no digit.
    pub fn parse_all(value: &'a [u8]) -> Result<Vec<Self>, Error> {
        digits_only(value)?;
        let layout = Error::new(48, 0, ErrorKind::Layout);
        let (count, records) = value.split_at_checked(2).ok_or(layout)?;
        let count = number(count).unwrap_or(0) as usize;
        if count > RECORDS_MAX || records.len() != count * RECORD_DIGITS {
            return Err(layout);
        }
        let record = |(index, record): (usize, &'a [u8])| {
            let part = |from: usize, to: usize| number(&record[from..to]).unwrap_or(0);
            let foreign = match part(0, 2) {
                0 => false,
                1 => true,
                _ => return Err(Error::new(48, 2 + index * RECORD_DIGITS, ErrorKind::Layout)),
            };
            let pan = &record[8..28];
            let filled = pan
                .iter()
                .position(|&digit| digit != b'0')
                .unwrap_or(pan.len());
            Ok(Self {
                foreign,
                stan: part(2, 8) as u32,
                pan: &pan[filled..],
                amount_minor: part(28, 40),
            })
        };
        records
            .chunks_exact(RECORD_DIGITS)
            .enumerate()
            .map(record)
            .collect()
    }

    /// Writes an element 48; `None` for more than 8 records or a number with more digits than its place.
    #[must_use]
    pub fn write_all(records: &[Self]) -> Option<Vec<u8>> {
        if records.len() > RECORDS_MAX {
            return None;
        }
        let mut value = vec![b'0'; 2 + records.len() * RECORD_DIGITS];
        write_number(records.len() as u64, &mut value[..2]);
        for (place, record) in value[2..].chunks_exact_mut(RECORD_DIGITS).zip(records) {
            let start = 28_usize
                .checked_sub(record.pan.len())
                .filter(|&start| start >= 8)?;
            place[start..28].copy_from_slice(record.pan);
            let fits = write_number(u64::from(record.foreign), &mut place[..2])
                & write_number(u64::from(record.stan), &mut place[2..8])
                & write_number(record.amount_minor, &mut place[28..]);
            if !fits {
                return None;
            }
        }
        Some(value)
    }
}

fn digits_only(value: &[u8]) -> Result<(), Error> {
    match value.iter().position(|byte| !byte.is_ascii_digit()) {
        Some(at) => Err(Error::new(48, at, ErrorKind::Character)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_the_published_request() {
        let value = b"00000000000700700000000000000000000000000000000000000000000000";
        let settlement = Settlement::parse(value).unwrap();
        assert_eq!(
            (
                settlement.domestic.debit_minor,
                settlement.domestic.debit_count
            ),
            (7, 7)
        );
        assert_eq!(settlement.foreign, Totals::default());
        assert!(!settlement.balanced());
        assert_eq!(settlement.write().as_ref(), Some(value));
        let mut answered = settlement;
        answered.domestic.answer = 1;
        answered.foreign.answer = 1;
        assert!(answered.balanced());
        assert_eq!(
            answered.write().map(|value| (value[30], value[61])),
            Some((b'1', b'1'))
        );
        answered.domestic.debit_count = 1000;
        assert_eq!(answered.write(), None);
        assert!(Settlement::parse(&value[1..]).is_err());
    }

    #[test]
    fn batch_records_are_read_and_written_back() {
        let records = [
            BatchRecord {
                foreign: false,
                stan: 172,
                pan: b"6228480000000123",
                amount_minor: 12_345,
            },
            BatchRecord {
                foreign: true,
                stan: 173,
                pan: b"6225760000000000005",
                amount_minor: 1,
            },
        ];
        let value = BatchRecord::write_all(&records).unwrap();
        assert_eq!(BatchRecord::parse_all(&value).unwrap(), records);
        assert!(format!("{records:?}").contains("622848******0123"));
        assert_eq!(BatchRecord::write_all(&[records[0]; 9]), None);
        for wrong in [
            &b""[..],
            b"01",
            b"0x",
            b"09",
            &[b'9'; 42],
            b"010200017200006228480000000123000000012345",
        ] {
            assert!(BatchRecord::parse_all(wrong).is_err());
        }
    }
}
