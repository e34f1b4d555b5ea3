#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `base` to the power of `exponent`.
func power(_ base: Float, _ exponent: Float) -> Float { powf(base, exponent) }
/// `base` to the power of `exponent`.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
/// e to the power of `x`.
func exponential(_ x: Double) -> Double { exp(x) }
/// The natural logarithm.
func naturalLogarithm(_ x: Double) -> Double { log(x) }
/// The logarithm of base 10.
func decimalLogarithm(_ x: Double) -> Double { log10(x) }
/// The inverse hyperbolic cosine.
func inverseHyperbolicCosine(_ x: Double) -> Double { acosh(x) }
