//! The pages, rendered from views and read.

mod cardholder;
mod console;
mod fixture;
mod frame;
mod lab;
mod merchant;
mod people;
mod spoken;
mod till;
mod words;
