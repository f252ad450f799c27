/** The identifiers of the elements that hold the pairs of a report, and their data. */
export const [PAIR_ROOT, PAIR_DATA] = ['pair-list', 'pair-data'];
