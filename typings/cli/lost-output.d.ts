/**
 * To be called once, before anything is written. Where the result itself is lost, as on a full disk, the command fails
 * in the end; a lost line of progress is no failure.
 */
export declare function keepGoingWithoutReaders(): void;
