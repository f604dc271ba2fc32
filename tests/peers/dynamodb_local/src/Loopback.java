import software.amazon.dynamodb.services.local.main.CommandLineInput;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** DynamoDB Local on 127.0.0.1 only: by itself it listens on every interface and has no option against it. */
public final class Loopback {
    public static void main(String[] args) throws Exception {
        CommandLineInput line = new CommandLineInput(args);
        line.init();
        DynamoDBProxyServer proxy = ServerRunner.createServer(line);
        Field field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        int bound = 0;
        for (Connector connector : ((Server) field.get(proxy)).getConnectors()) {
            ((ServerConnector) connector).setHost("127.0.0.1");
            bound++;
        }
        if (bound == 0) {
            throw new IllegalStateException("this DynamoDB Local keeps its connectors elsewhere");
        }
        proxy.start();
        System.out.println("dynamodb_local listening on http://127.0.0.1:" + line.getPort());
        proxy.join();
    }
}
