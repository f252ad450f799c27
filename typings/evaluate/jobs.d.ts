/** How many small networks to train at a time: one thread each is enough for them; a GPU is kept busy by one. */
export declare function jobsFor(device: string): Promise<number>;
/** Does work that uses so many torch threads, with the cores shared out among them. */
export declare function sharingCores<R>(jobs: number, work: () => Promise<R>): Promise<R>;
