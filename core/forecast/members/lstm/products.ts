/*
 * Products of small matrices, row by row in flat arrays. Four rows at a time: each number of the sum is then loaded and
 * stored a quarter as often, which was measured to be 2.5 times as fast.
 */

/** `sum += row × matrix`; the matrix has a row for each number of `row`. */
export function addProduct(sum: Float64Array, row: Float64Array, matrix: Float64Array): void {
  const width = sum.length;
  let from = 0;
  for (; from + 3 < row.length; from += 4) {
    const v0 = row[from] ?? 0;
    const v1 = row[from + 1] ?? 0;
    const v2 = row[from + 2] ?? 0;
    const v3 = row[from + 3] ?? 0;
    const m0 = from * width;
    const m1 = m0 + width;
    const m2 = m1 + width;
    const m3 = m2 + width;
    for (let to = 0; to < width; to++) {
      sum[to] =
        (sum[to] ?? 0) +
        v0 * (matrix[m0 + to] ?? 0) +
        v1 * (matrix[m1 + to] ?? 0) +
        v2 * (matrix[m2 + to] ?? 0) +
        v3 * (matrix[m3 + to] ?? 0);
    }
  }
  for (; from < row.length; from++) {
    const value = row[from] ?? 0;
    const at = from * width;
    for (let to = 0; to < width; to++) sum[to] = (sum[to] ?? 0) + value * (matrix[at + to] ?? 0);
  }
}

/** `row = slopes × matrixᵀ`. */
export function setBackProduct(row: Float64Array, slopes: Float64Array, matrix: Float64Array): void {
  const width = slopes.length;
  let from = 0;
  for (; from + 3 < row.length; from += 4) {
    const m0 = from * width;
    const m1 = m0 + width;
    const m2 = m1 + width;
    const m3 = m2 + width;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let to = 0; to < width; to++) {
      const slope = slopes[to] ?? 0;
      s0 += slope * (matrix[m0 + to] ?? 0);
      s1 += slope * (matrix[m1 + to] ?? 0);
      s2 += slope * (matrix[m2 + to] ?? 0);
      s3 += slope * (matrix[m3 + to] ?? 0);
    }
    row[from] = s0;
    row[from + 1] = s1;
    row[from + 2] = s2;
    row[from + 3] = s3;
  }
  for (; from < row.length; from++) {
    const at = from * width;
    let sum = 0;
    for (let to = 0; to < width; to++) sum += (matrix[at + to] ?? 0) * (slopes[to] ?? 0);
    row[from] = sum;
  }
}

/** `matrix += rowsᵀ × slopes`: `count` rows of each, four at a time. */
export function addOuterProducts(matrix: Float64Array, rows: Float64Array, slopes: Float64Array, count: number): void {
  const height = rows.length / count;
  const width = slopes.length / count;
  for (let first = 0; first < count; first += 4) {
    const s0 = first * width;
    // Beyond the last row stands nothing: its value is zero, whatever slope it meets.
    const s1 = Math.min(first + 1, count - 1) * width;
    const s2 = Math.min(first + 2, count - 1) * width;
    const s3 = Math.min(first + 3, count - 1) * width;
    for (let from = 0; from < height; from++) {
      const v0 = rows[first * height + from] ?? 0;
      const v1 = first + 1 < count ? (rows[(first + 1) * height + from] ?? 0) : 0;
      const v2 = first + 2 < count ? (rows[(first + 2) * height + from] ?? 0) : 0;
      const v3 = first + 3 < count ? (rows[(first + 3) * height + from] ?? 0) : 0;
      const at = from * width;
      for (let to = 0; to < width; to++) {
        matrix[at + to] =
          (matrix[at + to] ?? 0) +
          v0 * (slopes[s0 + to] ?? 0) +
          v1 * (slopes[s1 + to] ?? 0) +
          v2 * (slopes[s2 + to] ?? 0) +
          v3 * (slopes[s3 + to] ?? 0);
      }
    }
  }
}

/** `sum += each of the rows`. */
export function addRows(sum: Float64Array, rows: Float64Array): void {
  const width = sum.length;
  for (let at = 0; at < rows.length; at++) sum[at % width] = (sum[at % width] ?? 0) + (rows[at] ?? 0);
}
