//! A POS: dialogue, going online, reversal before the next sale, result query, slips.
