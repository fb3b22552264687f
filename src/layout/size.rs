//! The catalogue of machine sizes.

/// One row of the catalogue: what a machine of this size has and costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// The name used in layouts and in `resize`.
    pub name: &'static str,
    /// Processors.
    pub cores: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// Price in US dollars an hour.
    pub price_per_hour: f64,
}

/// Sizes from the smallest to the largest; there is none above the last. Prices follow on-demand general-purpose
/// instances (about 0.05 $ an hour and core) up to 16 cores, and grow faster than the power beyond them, as machines
/// with many sockets do.
pub const SIZES: [Size; 7] = [
    Size {
        name: "xs",
        cores: 1,
        memory_gib: 2,
        price_per_hour: 0.04,
    },
    Size {
        name: "s",
        cores: 2,
        memory_gib: 8,
        price_per_hour: 0.10,
    },
    Size {
        name: "m",
        cores: 4,
        memory_gib: 16,
        price_per_hour: 0.20,
    },
    Size {
        name: "l",
        cores: 8,
        memory_gib: 32,
        price_per_hour: 0.42,
    },
    Size {
        name: "xl",
        cores: 16,
        memory_gib: 64,
        price_per_hour: 0.90,
    },
    Size {
        name: "2xl",
        cores: 32,
        memory_gib: 128,
        price_per_hour: 2.10,
    },
    Size {
        name: "4xl",
        cores: 64,
        memory_gib: 256,
        price_per_hour: 5.20,
    },
];

impl Size {
    /// The size of this name.
    pub fn named(name: &str) -> Option<&'static Size> {
        SIZES.iter().find(|size| size.name == name)
    }

    /// The next larger size, or `None` at the limit.
    pub fn next(&self) -> Option<&'static Size> {
        SIZES.iter().skip_while(|size| size.name != self.name).nth(1)
    }
}
