//! The instruments of a single training step (Cockpit, Schneider, Dangel, Hennig 2021): where on the loss the step
//! ends, whether the gradient of the batch can be trusted, and how large a batch pays.

mod alpha;
mod gradient_tests;
mod noise_scale;
mod norms;
mod spectrum;

pub use alpha::{Alphas, Landing, Probe, alpha};
pub use gradient_tests::{GradientMoments, GradientTests};
pub use noise_scale::{BatchAdvice, NoiseEstimate, NoiseRecord, NoiseScale};
pub use norms::whole_norm;
pub use spectrum::Spectrum;
