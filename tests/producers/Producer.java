import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Produces what it reads from standard input, as Kafka's own client does it: its default partitioner, idempotent.
 *
 * <p>java -cp 'JARS/*' Producer.java BOOTSTRAP TOPIC [PROPERTY=VALUE...]
 *
 * <p>A line is a message: key, value and any number of headers, separated by tabs. Key and value are in Base64, "-" is
 * null; a header is NAME=BASE64. Lines are counted from 0. When a message is acknowledged, "LINE PARTITION:OFFSET" is
 * printed; one that can't be produced prints "LINE ERROR" to standard error and ends the process with code 1.
 */
public final class Producer {
    private static final PrintStream ACKS = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private Producer() {}

    public static void main(String[] arguments) throws IOException {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        // A broker that is killed comes back: what was sent is sent until it is acknowledged.
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, String.valueOf(Integer.MAX_VALUE));
        properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, String.valueOf(Long.MAX_VALUE));
        properties.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, String.valueOf(64 << 20));
        properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, String.valueOf(128 << 20));
        for (int i = 2; i < arguments.length; i++) {
            String[] property = arguments[i].split("=", 2);
            properties.put(property[0], property[1]);
        }
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, bytes, bytes)) {
            produce(producer, arguments[1]);
        }
    }

    private static void produce(KafkaProducer<byte[], byte[]> producer, String topic) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        long number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            long sent = number++;
            producer.send(message(topic, line), (metadata, error) -> {
                if (error != null) {
                    System.err.println(sent + " " + error);
                    Runtime.getRuntime().halt(1);
                }
                ACKS.println(sent + " " + metadata.partition() + ":" + metadata.offset());
            });
        }
    }

    private static ProducerRecord<byte[], byte[]> message(String topic, String line) {
        String[] fields = line.split("\t", -1);
        var message = new ProducerRecord<byte[], byte[]>(topic, decoded(fields[0]), decoded(fields[1]));
        for (int i = 2; i < fields.length; i++) {
            String[] header = fields[i].split("=", 2);
            message.headers().add(header[0], decoded(header[1]));
        }
        return message;
    }

    private static byte[] decoded(String field) {
        return field.equals("-") ? null : Base64.getDecoder().decode(field);
    }
}
