package snippets;

/** What a snippet does, and that it did it. */
interface Check {
    void run() throws Exception;
}
