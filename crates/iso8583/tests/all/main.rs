//! Published samples, properties over any bytes, and limits of the codec.

mod allocations;
mod descriptions;
mod frames;
mod mutations;
mod properties;
mod samples;
