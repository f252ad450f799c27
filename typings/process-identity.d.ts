export interface ProcessIdentity {
    host: string;
    /** Of the machine; another after each start of it. */
    boot?: string | undefined;
    /** Containers count their processes apart. */
    pidNamespace?: string | undefined;
    pid: number;
    /** When the process started, as /proc counts it: another process may have the same number later. */
    started?: string | undefined;
}
/** This process. */
export declare function self(): ProcessIdentity;
/** Whether there is a process of this number here, whatever it is. */
export declare function isAlive(pid: number): boolean;
/** Whether a process is running; undefined where that cannot be told from here: on another machine or in another container. */
export declare function isRunning({ host, boot, pidNamespace, pid, started }: ProcessIdentity): boolean | undefined;
