interface Surroundings {
    /** Where `proc` and the mounts of control groups are. */
    root?: string;
    env?: NodeJS.ProcessEnv;
    /** Cores by the affinity of the process. */
    cores?: number;
}
/**
 * OMP_NUM_THREADS where it is set: a number from 1 to 1024, or OpenMP's list by nesting level, of which the first counts.
 * Throws ERR_INVALID_OPTION for anything else.
 */
export declare function threadsFromEnvironment(env: NodeJS.ProcessEnv): number | undefined;
/** Threads for libtorch; see the head of this file. Throws ERR_INVALID_OPTION for an OMP_NUM_THREADS that is not a number. */
export declare function defaultThreads({ root, env, cores }?: Surroundings): number;
export {};
