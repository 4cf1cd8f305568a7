//! Nothing that a row may hold makes the module panic: random bytes and texts at every input of every algorithm.

use crate::{hex, vectors::rows};
use crypto::vectors::{Scalar, Vector, run};
use proptest::prelude::*;

/// Lengths at which keys, blocks and serial numbers are accepted, and their neighbours.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop::sample::select(vec![
        0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 15, 16, 17, 20, 24, 32, 33, 40, 60, 64, 300,
    ]);
    lengths.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
}

fn value() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        4 => bytes().prop_map(|bytes| Scalar::Text(hex(&bytes))),
        2 => "[0-9]{0,20}".prop_map(Scalar::Text),
        1 => "[BDA][0-9]{4}[A-Z0-9]{2}[TADH][A-Z][0-9]{2}[ENS]0[0-2]00[0-9A-F]{0,120}".prop_map(Scalar::Text),
        1 => ".{0,40}".prop_map(Scalar::Text),
        1 => any::<u64>().prop_map(Scalar::Number),
        1 => (0..40_u64).prop_map(Scalar::Number),
        1 => any::<bool>().prop_map(Scalar::Truth),
    ]
}

/// The inputs of a row with some of them replaced.
fn disturbed(row: &Vector, values: &[Scalar], which: u32) -> Vector {
    let mut row = row.clone();
    for (place, (value, new)) in row.inputs.values_mut().zip(values).enumerate() {
        if which & 1 << place != 0 {
            value.clone_from(new);
        }
    }
    row
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_row_panics(values in prop::collection::vec(value(), 8), which in any::<u32>()) {
        for row in rows() {
            run(&disturbed(&row, &values, which));
            // One input alone, so that the others let it through to the algorithm.
            run(&disturbed(&row, &values, 1 << (which % 8)));
        }
    }
}
