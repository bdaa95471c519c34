package snippets;

import io.qdrant.client.QdrantClient;
import io.qdrant.client.QdrantGrpcClient;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The Java snippets of Qdrant's documentation, against the server whose gRPC port is the first argument.
 *
 * <p>Each snippet that did what it says is told by a line "ok NAME"; the first that didn't ends the program.
 */
final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            System.err.println("usage: snippets.Main GRPC_PORT");
            System.exit(2);
        }
        int port = Integer.parseInt(arguments[0]);
        try (QdrantClient client = new QdrantClient(QdrantGrpcClient.newBuilder("127.0.0.1", port, false).build())) {
            Suite suite = new Suite(client);
            Stream.of(new Uploads(suite).checks(), new Changes(suite).checks(), new Reads(suite).checks(),
                            new Optimizing(suite).checks())
                    .flatMap(checks -> checks.entrySet().stream())
                    .forEach(Main::run);
        }
    }

    private static void run(Map.Entry<String, Check> check) {
        try {
            check.getValue().run();
        } catch (Exception error) {
            System.err.println("FAILED " + check.getKey());
            error.printStackTrace();
            System.exit(1);
        }
        System.out.println("ok " + check.getKey());
    }
}
