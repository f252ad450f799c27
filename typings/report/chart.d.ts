/** A loss curve as SVG: every step's loss faint, its running mean strong, on a logarithmic scale. */
export interface LossPoint {
    step: number;
    loss: number;
}
/** The exponential running mean that the curve shows; its weight follows the number of points. */
export declare function smooth(points: readonly LossPoint[]): LossPoint[];
export declare function lossChart(points: readonly LossPoint[]): string;
